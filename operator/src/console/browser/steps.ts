import type { RepairRecord } from '../../resource/status.ts';
import { s } from './svg.ts';
import { words } from './words.ts';

const ROW = 22;
const LABEL = 120;
const END = 56;
const WIDTH = 380;

/** The steps of a repair under each other, each as long as it took after the one before. */
export function stepsDrawing({ steps }: Pick<RepairRecord, 'steps'>): SVGElement {
  const times = steps.map(({ at }) => Date.parse(at));
  const first = times[0] ?? 0;
  const whole = Math.max(1, (times.at(-1) ?? 0) - first);
  const x = (at: number): number => LABEL + ((at - first) / whole) * (WIDTH - LABEL - END);
  const after = (at: number): string => `+${((at - first) / 1000).toFixed(1)} s`;
  const told = steps.map(({ name }, at) => `${name} ${after(times[at] ?? first)}`).join(', ');
  return s(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${steps.length * ROW}`,
      class: 'steps',
      role: 'img',
      'aria-label': `${words.steps}: ${told}`,
    },
    ...steps.flatMap(({ name }, at) => {
      const end = times[at] ?? first;
      const from = times[at - 1] ?? first;
      const y = at * ROW;
      return [
        s('text', { x: 0, y: y + 15 }, name),
        s('rect', { x: x(from), y: y + 5, width: Math.max(3, x(end) - x(from)), height: 12, rx: 2, class: 'took' }),
        s('text', { x: x(end) + 8, y: y + 15 }, after(end)),
      ];
    }),
  );
}
