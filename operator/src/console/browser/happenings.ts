/** What is drawn into a timeline, as plain times. Pure. */
import type { Mark } from '../history.ts';
import type { Detail, Strip } from '../view.ts';

export interface Span {
  from: number;
  to: number;
}

const time = (at: string): number => new Date(at).getTime();

/** From the first failed handshake until all serve again; those that touch are one. */
export function incidentsOf({ repairs, remediation }: Pick<Detail, 'repairs' | 'remediation'>, now: number): Span[] {
  const spans = repairs.map(({ evidence, startedAt, finishedAt, steps }): Span => {
    const served = steps.findLast(({ name }) => name === 'Serving')?.at ?? finishedAt;
    return { from: time(evidence.failingSince ?? startedAt), to: served === undefined ? now : time(served) };
  });
  const { incident, servingSince } = remediation;
  if (incident !== undefined)
    spans.push({ from: time(incident), to: servingSince === undefined ? now : time(servingSince) });
  const joined: Span[] = [];
  for (const span of spans.filter(({ from, to }) => from <= to).sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else joined.push({ ...span });
  }
  return joined;
}

export interface Change {
  pod: string;
  mark: Mark;
}

/** The handshakes at which something was other than before, newest first. */
export function changesOf(strips: readonly Strip[], most: number): Change[] {
  const told = ({ verdict, diagnosis, probe }: Mark): string => JSON.stringify([verdict, diagnosis, probe]);
  return strips
    .flatMap(({ pod, marks }) =>
      marks
        .filter((mark, at) => {
          const before = marks[at - 1];
          return before === undefined || told(before) !== told(mark);
        })
        .map((mark) => ({ pod, mark })),
    )
    .sort((a, b) => b.mark.at - a.mark.at)
    .slice(0, most);
}

/** Round times within a span, about six of them. */
export function ticksOf({ from, to }: Span): number[] {
  const stepMs = [15_000, 60_000, 180_000, 600_000].find((step) => (to - from) / step <= 7) ?? 600_000;
  const first = Math.ceil(from / stepMs) * stepMs;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / stepMs) + 1) }, (_, at) => first + at * stepMs);
}
