/** A command line as it is typed, against an API server that answers as a test says, over real sockets. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Exchange, failure, startScriptedServer, until } from '../kube/testing/scripted-server.ts';
import type { Around } from './command.ts';
import { run } from './run.ts';
import { PLAIN } from './terminal/paint.ts';

export interface Said {
  code: number;
  out: string;
  err: string;
}

/** By method and path (`GET /version`): what is answered, or what is done; nothing of the rest is there. */
export type Answers = Record<string, object | ((exchange: Exchange) => unknown)>;

export interface Desk {
  readonly folder: string;
  readonly url: string;
  /** Of the API server, `METHOD /path`, in order. */
  readonly asked: readonly string[];
  readonly exchanges: readonly Exchange[];
  /** In place of those that were there, or beside them. */
  answer(more: Answers): void;
  /** @returns its path */
  kubeconfig(name: string, config: object): Promise<string>;
  /** With a kubeconfig whose namespace is media, where the environment has none. */
  typed(argv: readonly string[], around?: Partial<Around>): Promise<Said>;
  close(): Promise<void>;
}

export const configOf = (server: string, user: object = { token: 'a-token' }) => ({
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'home' },
  clusters: [{ name: 'home', cluster: { server, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'me', user }],
  contexts: [{ name: 'home', context: { cluster: 'home', user: 'me', namespace: 'media' } }],
});

export async function openDesk(answers: Answers = {}): Promise<Desk> {
  const server = await startScriptedServer();
  const folder = await mkdtemp(join(tmpdir(), 'kubectl-kling-'));
  const known: Answers = { ...answers };
  server.otherwise(async (exchange) => {
    const found = known[`${exchange.method} ${exchange.path}`];
    if (found === undefined) exchange.reply(404, failure(404, 'NotFound', `nothing at ${exchange.path}`));
    else if (typeof found === 'function') await found(exchange);
    else exchange.reply(200, found);
  });
  const kubeconfig: Desk['kubeconfig'] = async (name, config) => {
    const file = join(folder, name);
    await writeFile(file, JSON.stringify(config));
    return file;
  };
  const own = await kubeconfig('config', configOf(server.url));
  return {
    ...{ folder, url: server.url, exchanges: server.exchanges, kubeconfig },
    get asked() {
      return server.exchanges.map(({ method, path }) => `${method} ${path}`);
    },
    answer: (more) => void Object.assign(known, more),
    async typed(argv, around = {}) {
      const said = { out: '', err: '' };
      const code = await run(argv, {
        out: (text) => {
          said.out += text;
        },
        err: (text) => {
          said.err += text;
        },
        env: { KUBECONFIG: own },
        now: Date.now,
        signal: new AbortController().signal,
        pause: (_, signal) => setTimeout(5, undefined, { signal }).catch(() => {}),
        ...{ paint: PLAIN, progressPaint: PLAIN, columns: 120 },
        ...around,
      });
      return { code, ...said };
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Where the API server keeps KlingApis of the namespace media. */
export const KLINGAPIS = '/apis/klingapi.dev/v1alpha1/namespaces/media/klingapis';

export const listOf = (...items: object[]) => ({ kind: 'List', metadata: { resourceVersion: '1' }, items });

/** For what takes moments on a machine that does nothing else. */
export const soon = (condition: () => boolean): Promise<void> => until(condition, 20_000);
