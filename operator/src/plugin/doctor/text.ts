/** The walk for a person. */
import { DIAGNOSES, isDiagnosis } from '../../remediation/diagnoses.ts';
import type { Paint } from '../terminal/paint.ts';
import { wrap } from '../terminal/table.ts';
import type { Finding, State } from './finding.ts';
import type { Diagnosis } from './walk.ts';

const WORDS: Readonly<Record<State, string>> = {
  Ok: 'ok',
  Broken: 'BROKEN',
  Note: 'note',
  Unknown: 'unknown',
  Unused: '-',
};
const INDENT = 21;

const painted = (state: State, paint: Paint): ((text: string) => string) =>
  ({ Ok: paint.good, Broken: paint.bad, Note: paint.warn, Unknown: paint.warn, Unused: paint.dim })[state];

function line(finding: Finding, paint: Paint, columns: number): string[] {
  const { layer, state, reason, seen } = finding;
  const told = state === 'Ok' || state === 'Unused' ? seen : `${reason}: ${seen}`;
  const [first = '', ...more] = wrap(told, Math.max(40, columns - INDENT));
  return [
    `  ${painted(state, paint)(WORDS[state].padEnd(8))}${layer.padEnd(11)}${first}`,
    ...more.map((rest) => ' '.repeat(INDENT) + rest),
  ];
}

function advice({ layer, reason, next }: Finding, paint: Paint): string[] {
  return [
    `It breaks at the ${layer}: ${paint.bold(reason)}`,
    ...(isDiagnosis(reason) ? [`  ${DIAGNOSES[reason].meaning} (docs/runbooks/${reason}.md)`] : []),
    ...(next.length === 0 ? [] : ['', 'Next:', '', ...next.map((command) => `  ${command}`)]),
  ];
}

export function diagnosisText({ name, namespace, answer, findings }: Diagnosis, paint: Paint, columns: number): string {
  const notes = findings.filter(({ state, next }) => (state === 'Note' || state === 'Unknown') && next.length > 0);
  const lines = [
    `${paint.bold(`KlingApi ${name}`)} in namespace ${namespace}, from the cluster to the upstream:`,
    '',
    ...findings.flatMap((finding) => line(finding, paint, columns)),
    '',
    ...(answer === undefined ? ['Nothing is broken.'] : advice(answer, paint)),
    ...(answer !== undefined || notes.length === 0
      ? []
      : ['', 'To know more:', '', ...notes.flatMap(({ next }) => next.map((command) => `  ${command}`))]),
  ];
  return `${lines.map((text) => text.trimEnd()).join('\n')}\n`;
}
