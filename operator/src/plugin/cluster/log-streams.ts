/** Log lines of several containers in the order of their times. */
import type { Kube } from './kubeconfig.ts';

export interface Source {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface LogLine {
  readonly source: Source;
  /** RFC 3339 with nanoseconds, as the kubelet writes it; empty where there is none. */
  readonly at: string;
  readonly text: string;
}

export interface Backlog {
  readonly sinceSeconds: number | undefined;
  readonly tailLines: number | undefined;
  readonly previous: boolean;
}

const TIMED = /^(\d{4}-\d{2}-\d{2}T\S+) (.*)$/s;

export function lineOf(source: Source, raw: string): LogLine {
  const [, at = '', text = raw] = TIMED.exec(raw) ?? [];
  return { source, at, text };
}

/** Nanoseconds may have fewer digits than nine, so a comparison of texts alone would be wrong. */
const sortable = (at: string): string => {
  const [seconds = '', fraction = ''] = at.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
};

/** A line without a time belongs to the one before it. */
export function inOrder(streams: readonly (readonly LogLine[])[]): LogLine[] {
  const keyed = streams.flatMap((lines) => {
    let key = '';
    return lines.map((line) => {
      key = line.at === '' ? key : sortable(line.at);
      return { key, line };
    });
  });
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ line }) => line);
}

/** @throws KubeError */
export async function backlog(
  kube: Kube,
  source: Source,
  { sinceSeconds, tailLines, previous }: Backlog,
): Promise<LogLine[]> {
  const text = await kube.client.podLog({ ...source, sinceSeconds, tailLines, previous, timestamps: true });
  return text.split('\n').flatMap((raw) => (raw === '' ? [] : [lineOf(source, raw)]));
}

/** Where to go on with a log: behind the last line that is known, or without one as the backlog was asked for. */
export type Start = { readonly after: string } | Pick<Backlog, 'sinceSeconds' | 'tailLines'>;

/**
 * Goes on with a log until it ends or `signal` is aborted.
 * @throws KubeError
 */
export async function follow(
  kube: Kube,
  source: Source,
  start: Start,
  signal: AbortSignal,
  onLine: (line: LogLine) => void,
): Promise<void> {
  // the API server counts in whole seconds, so lines that are known come again
  const known = 'after' in start ? sortable(start.after) : undefined;
  const from = 'after' in start ? { sinceTime: start.after } : start;
  let rest = '';
  try {
    for await (const chunk of kube.client.followPodLog({ ...source, ...from, timestamps: true, signal })) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const line = lineOf(source, raw);
        if (known === undefined || line.at === '' || sortable(line.at) > known) onLine(line);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
