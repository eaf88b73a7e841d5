import { setMaxListeners } from 'node:events';
import type { Store } from '../storage/store.ts';

/** Who waits for tasks to change. */
export interface Changes {
  /** From now on no change of the task is missed; close it when nobody waits any more. */
  watch(id: string): Watch;
  /** Lets everybody who waits go, now and from now on: this process is draining. */
  release(): void;
  /** Fires on release. */
  readonly released: AbortSignal;
}

export interface Watch {
  /**
   * Resolves after a change since the last call, when the time is over, on the
   * signal, or on release. The caller then reads the task.
   * @param milliseconds at most; on shared storage it may be sooner, as word of a change can be lost
   */
  next(milliseconds: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface ChangesOptions {
  readonly store: Pick<Store, 'onChange' | 'shared'>;
  /** Milliseconds between looks at a task on shared storage. */
  readonly lookAgainMs?: number;
}

export function createChanges({ store, lookAgainMs = 5000 }: ChangesOptions): Changes {
  const watched = new Map<string, Set<() => void>>();
  const releasing = new AbortController();
  // One listener a waiting caller.
  setMaxListeners(0, releasing.signal);
  const most = store.shared ? lookAgainMs : Number.POSITIVE_INFINITY;
  store.onChange((id) => {
    for (const tell of watched.get(id) ?? []) tell();
  });

  return {
    watch(id) {
      let changed = false;
      let go = (): void => {};
      const tell = (): void => {
        changed = true;
        go();
      };
      const all = watched.get(id) ?? new Set();
      watched.set(id, all.add(tell));
      return {
        async next(milliseconds, signal) {
          const signals = [signal, releasing.signal];
          if (!changed && !signals.some(({ aborted }) => aborted)) {
            await new Promise<void>((resolve) => {
              // Both outlive the wait by far, so nothing of it may stay with them.
              go = () => {
                clearTimeout(timer);
                for (const each of signals) each.removeEventListener('abort', go);
                resolve();
              };
              const timer = setTimeout(go, Math.min(milliseconds, most));
              for (const each of signals) each.addEventListener('abort', go);
            });
          }
          changed = false;
        },
        close() {
          all.delete(tell);
          if (all.size === 0) watched.delete(id);
        },
      };
    },
    release: () => releasing.abort(),
    released: releasing.signal,
  };
}
