/**
 * The writes of a leader, behind a gate that closes before the Lease is released. A look may go on for minutes (a hung pod is
 * waited for); nobody need wait for it, because from then on it can change nothing.
 */
import type { KubeClient } from './client.ts';
import { KubeError } from './errors.ts';

export interface Gate {
  readonly client: KubeClient;
  /** Writes that belong together: once begun they all pass, although the gate is told to close meanwhile. */
  together<T>(writes: () => Promise<T>): Promise<T>;
  /** Lets nothing new begin; resolves when what is under way has come to its end. */
  close(): Promise<void>;
}

export function createGate(client: KubeClient): Gate {
  const groups = new Set<Promise<unknown>>();
  const calls = new Set<Promise<unknown>>();
  let state: 'open' | 'closing' | 'closed' = 'open';

  async function during<T>(set: Set<Promise<unknown>>, run: () => Promise<T>): Promise<T> {
    const running = run();
    set.add(running);
    try {
      return await running;
    } finally {
      set.delete(running);
    }
  }
  const refusal = () =>
    new KubeError({ code: 'Aborted', message: 'Nothing is written any more: the process is ending' });
  const pass = async <T>(write: () => Promise<T>): Promise<T> => {
    if (state === 'closed') throw refusal();
    return during(calls, write);
  };

  return {
    async together(writes) {
      if (state !== 'open') throw refusal();
      return during(groups, writes);
    },
    // spelled out: a call that is added to the client has to be put on one side here
    client: {
      get: client.get,
      list: client.list,
      watch: client.watch,
      podLog: client.podLog,
      followPodLog: client.followPodLog,
      discover: client.discover,
      openApi: client.openApi,
      version: client.version,
      close: client.close,
      mergePatch: (ref, change, options) => pass(() => client.mergePatch(ref, change, options)),
      apply: (object, options) => pass(() => client.apply(object, options)),
      create: (object, options) => pass(() => client.create(object, options)),
      replace: (object, options) => pass(() => client.replace(object, options)),
      delete: (ref, options) => pass(() => client.delete(ref, options)),
    },
    async close() {
      state = 'closing';
      await Promise.allSettled(groups);
      state = 'closed';
      await Promise.allSettled(calls);
    },
  };
}
