/** Log lines of several containers in the order of their times. */
import { Writable } from 'node:stream';
import { Log } from '@kubernetes/client-node';
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

/**
 * Goes on with a log until it ends or `signal` is aborted.
 * @param after time of the last line that is known: the API server counts in whole seconds, so lines come twice
 */
export async function follow(
  kube: Kube,
  source: Source,
  after: string | undefined,
  signal: AbortSignal,
  onLine: (line: LogLine) => void,
): Promise<void> {
  let rest = '';
  const ended = Promise.withResolvers<void>();
  const sink = new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _encoding, done) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const line = lineOf(source, raw);
        if (after === undefined || line.at === '' || sortable(line.at) > sortable(after)) onLine(line);
      }
      done();
    },
  });
  sink.on('close', () => ended.resolve());
  sink.on('finish', () => ended.resolve());
  sink.on('error', () => ended.resolve());
  const { namespace, pod, container } = source;
  const controller = await new Log(kube.config).log(namespace, pod, container, sink, {
    follow: true,
    timestamps: true,
    ...(after === undefined ? {} : { sinceTime: after }),
  });
  const stop = (): void => {
    controller.abort();
    ended.resolve();
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  await ended.promise;
}
