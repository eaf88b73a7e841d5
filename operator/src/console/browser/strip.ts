import { h } from '@klingapi/page/browser';
import type { Strip } from '../view.ts';
import { markAt, markTitle, tally, verdictText } from './mark.ts';
import { s } from './svg.ts';
import { words } from './words.ts';

const STEP = 9;
const HEIGHT = 14;
const SLOTS = 30;

/** One pod on one line: its name, its newest handshakes, and in words what the last one showed. */
export function stripOf({ pod, marks }: Strip): HTMLElement {
  const last = marks.at(-1);
  if (last === undefined)
    return h('li', {}, h('span', { class: 'pod' }, pod), h('span', { class: 'hint' }, words.noMarks));
  const width = SLOTS * STEP;
  const from = width - marks.length * STEP + STEP / 2;
  const drawing = s(
    'svg',
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      width,
      height: HEIGHT,
      role: 'img',
      'aria-label': words.strip(pod, tally(marks)),
    },
    ...marks.map((mark, at) =>
      markAt(from + at * STEP, HEIGHT / 2, mark.verdict, markTitle(mark, mark.verdict, mark.diagnosis)),
    ),
  );
  return h(
    'li',
    {},
    h('span', { class: 'pod' }, pod),
    drawing,
    h('span', { class: `verdict ${last.verdict}` }, verdictText(last.verdict, last.diagnosis)),
  );
}
