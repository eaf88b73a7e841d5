import { randomBytes, randomUUID } from 'node:crypto';
import { signWebhook, webhookKey } from '@klingapi/kling';
import type { Clock } from './clock.ts';
import { describeOwn, describeRecord, describeTask } from './tasks/describe.ts';
import type { SandboxTask } from './tasks/task.ts';

export interface CallbackOptions {
  readonly clock: Clock;
  /** Messages are signed with it, as Kling does once an account has a webhook secret (`whsec_…`). */
  readonly secret?: string | undefined;
  /** In the shape of one family, whatever family made the task. */
  readonly shape?: 'legacy' | 'new' | undefined;
}

export interface Callbacks {
  /** Tells each change of the task that is still to come, where it asked for that. */
  follow(task: SandboxTask, base: string): void;
  /** Signs with another secret from now on; for so long with the one before too. Undefined: no more signatures. */
  rotate(secret: string | undefined, overlapSeconds: number): void;
  /** Back to the secret of the start. */
  reset(): void;
  close(): void;
}

const TIMEOUT_MS = 10_000;
const LATE_MS = 60_000;

/** Sent once each: no second delivery is documented. */
export function createCallbacks({ clock, secret: initial, shape }: CallbackOptions): Callbacks {
  const closed = new AbortController();
  const keyOf = (secret: string | undefined) => (secret === undefined ? [] : [webhookKey(secret)]);
  let keys = keyOf(initial);
  let former: { readonly keys: readonly Uint8Array[]; readonly until: number } = { keys: [], until: 0 };

  const describe = shape === undefined ? describeOwn : shape === 'new' ? describeRecord : describeTask;

  const signatures = (id: string, body: string, badly: boolean): Record<string, string> => {
    const valid = [...keys, ...(clock.now() < former.until ? former.keys : [])];
    // Receivers hold the time against a real clock, whatever the sandbox's own shows.
    const seconds = Math.floor(Date.now() / 1000);
    const signed = valid.map((key) => signWebhook(badly ? randomBytes(32) : key, id, seconds, body));
    const [first] = signed;
    if (first === undefined) return {};
    return { ...first, 'webhook-signature': signed.map((each) => each['webhook-signature']).join(' ') };
  };

  const send = async (url: string, task: SandboxTask, base: string): Promise<void> => {
    const fault = task.struck?.fault;
    const id = randomUUID();
    const body = JSON.stringify(describe(task, clock.now(), base));
    const headers = {
      'content-type': 'application/json',
      ...signatures(id, body, fault === 'callback-badly-signed'),
    };
    for (let sent = 0; sent < (fault === 'callback-twice' ? 2 : 1); sent += 1) {
      const signal = AbortSignal.any([closed.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const reply = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
      await reply.body?.cancel();
    }
  };

  return {
    follow(task, base) {
      const { callbackUrl, struck } = task;
      if (callbackUrl === undefined || struck?.fault === 'callback-lost') return;
      const late = struck?.fault === 'callback-late' ? (struck.delayMs ?? LATE_MS) : 0;
      const tell = () => {
        // Whoever cannot be reached has polling.
        if (!closed.signal.aborted) send(callbackUrl, task, base).catch(() => {});
      };
      const life = task.finishesAt === Infinity ? 1000 : task.finishesAt - task.createdAt;
      // As `statusAt` has it: processing after a tenth. Of subtitles only the end is told.
      if (task.kind !== 'solution-subtitle') clock.after(Math.ceil(life / 10) + late, tell);
      if (task.finishesAt !== Infinity) clock.after(life + 1 + late, tell);
    },
    rotate(secret, overlapSeconds) {
      former = { keys, until: clock.now() + overlapSeconds * 1000 };
      keys = keyOf(secret);
    },
    reset() {
      keys = keyOf(initial);
      former = { keys: [], until: 0 };
    },
    close: () => closed.abort(),
  };
}
