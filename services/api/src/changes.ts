import { hasEnded, type Task } from './task.ts';

/** Who waits for a task to change, within this process (which is the only one on its storage). */
export interface Changes {
  /** To be called after each change that is stored. */
  tell(task: Task): void;
  /**
   * Resolves when the task has ended, when the time is over, the signal fires,
   * or all waiting is given up. The caller then reads the task.
   */
  untilEnded(id: string, milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Lets everybody who waits go, now and from now on: this process is draining. */
  release(): void;
}

export function createChanges(): Changes {
  const waiting = new Map<string, Set<() => void>>();
  let released = false;
  return {
    tell(task) {
      if (!hasEnded(task)) return;
      for (const go of waiting.get(task.id) ?? []) go();
    },
    untilEnded(id, milliseconds, signal) {
      if (released || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', go);
          const others = waiting.get(id);
          others?.delete(go);
          if (others?.size === 0) waiting.delete(id);
          resolve();
        };
        const timer = setTimeout(go, milliseconds);
        signal.addEventListener('abort', go);
        const others = waiting.get(id) ?? new Set();
        waiting.set(id, others.add(go));
      });
    },
    release() {
      released = true;
      for (const others of [...waiting.values()]) for (const go of [...others]) go();
    },
  };
}
