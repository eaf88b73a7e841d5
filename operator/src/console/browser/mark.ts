import type { Mark } from '../history.ts';
import { s } from './svg.ts';
import { clock, words } from './words.ts';

export type Verdict = Mark['verdict'];
export const VERDICTS: readonly Verdict[] = ['Serving', 'AuthRequired', 'Failing', 'Unreachable', 'Unknown'];

/** Each verdict has a shape of its own, so that nobody needs the colour. Drawn around 0, 0, ten units high. */
const SHAPES: Readonly<Record<Verdict, string>> = {
  Serving: 'M-2-5h4v10h-4z',
  AuthRequired: 'M0-5l4 5-4 5-4-5z',
  Failing: 'M-3.5-4.5l7 9m0-9l-7 9',
  Unreachable: 'M-3.5-4.5h7v9h-7z',
  Unknown: 'M-3 0h6',
};

export const markAt = (x: number, y: number, verdict: Verdict, title?: string): SVGElement =>
  s(
    'path',
    { d: SHAPES[verdict], class: `mark ${verdict}`, transform: `translate(${x.toFixed(1)} ${y})` },
    ...(title === undefined ? [] : [s('title', {}, title)]),
  );

export const verdictText = (verdict: Verdict, diagnosis: string | null): string =>
  diagnosis === null ? words.verdicts[verdict] : `${words.verdicts[verdict]} (${diagnosis})`;

export const markTitle = ({ at }: Mark, verdict: Verdict, diagnosis: string | null): string =>
  `${clock(at)} ${verdictText(verdict, diagnosis)}`;

/** How many of each there are, in words. */
export const tally = (marks: readonly Mark[]): string =>
  VERDICTS.map((verdict) => ({ verdict, many: marks.filter((mark) => mark.verdict === verdict).length }))
    .filter(({ many }) => many > 0)
    .map(({ verdict, many }) => `${many} ${words.verdicts[verdict]}`)
    .join(', ');
