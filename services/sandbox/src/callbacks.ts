import { randomUUID } from 'node:crypto';
import { signWebhook } from '@klingapi/kling';
import { describeRecord, describeTask, type SandboxTask } from './tasks.ts';

export interface CallbackOptions {
  /** Messages are signed with it, as Kling does once an account has a webhook secret. */
  readonly key?: Uint8Array | undefined;
  /** In the shape of the family that made the task, or of the new one. */
  readonly shape?: 'legacy' | 'new' | undefined;
  readonly now: () => number;
}

export interface Callbacks {
  /** Tells each change of the task that is still to come, where it asked for that. */
  follow(task: SandboxTask, base: string): void;
  close(): void;
}

const TIMEOUT_MS = 10_000;

/** Sent once each: no second delivery is documented. */
export function createCallbacks({ key, shape, now }: CallbackOptions): Callbacks {
  const timers = new Set<NodeJS.Timeout>();
  const closed = new AbortController();

  const send = async (url: string, task: SandboxTask, base: string): Promise<void> => {
    const describe = shape === 'new' ? describeRecord : describeTask;
    const body = JSON.stringify(describe(task, now(), base));
    const signature = key === undefined ? {} : signWebhook(key, randomUUID(), Math.floor(now() / 1000), body);
    const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const headers = { 'content-type': 'application/json', ...signature };
    const reply = await fetch(url, { method: 'POST', headers, body, signal });
    await reply.body?.cancel();
  };

  return {
    follow(task, base) {
      const { callbackUrl } = task;
      if (callbackUrl === undefined) return;
      const life = task.finishesAt - task.createdAt;
      // As `statusAt` has it: processing after a tenth.
      for (const milliseconds of [Math.ceil(life / 10), life + 1]) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          // Whoever cannot be reached has polling.
          send(callbackUrl, task, base).catch(() => {});
        }, milliseconds);
        timers.add(timer);
      }
    },
    close() {
      closed.abort();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
