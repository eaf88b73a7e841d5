import { KlingError } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { Store } from '../storage/store.ts';
import type { Lease } from './lease.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Submissions } from './submissions.ts';

export interface DispatcherOptions {
  readonly store: Store;
  readonly lease: Lease;
  readonly submissions: Submissions;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Submissions of one process under way at once; each holds a connection to Kling. */
const AT_ONCE = 32;
/** Work may come from a replica that died. */
const LOOK_MS = 1000;

/**
 * Takes up what waits for its submission: queued tasks when there is room,
 * tasks of unknown outcome when their time has come, and those of replicas (or
 * of an earlier process) that died.
 */
export function startDispatcher(options: DispatcherOptions): Loop {
  const { store, lease, submissions, logger, now } = options;
  /** Tasks are due that no pool has room for: any end of a task may make some. */
  let waitsForRoom = false;

  const loop = startLoop({
    name: 'dispatcher',
    logger,
    longestMs: store.shared ? LOOK_MS : undefined,
    async turn() {
      if (lease.signal().aborted) return LOOK_MS;
      const room = AT_ONCE - submissions.size;
      const isRunning = (id: string) => submissions.running(id) !== undefined;
      for (const claim of room > 0 ? await store.claimSubmissions(lease.replica, now(), room, isRunning) : []) {
        submissions
          .submit(claim)
          .catch((error: unknown) => {
            // A refusal is stored with the task, and logged.
            if (!(error instanceof KlingError)) logger.error({ task: claim.task.id, err: error }, 'submission failed');
          })
          .finally(() => loop.wake());
      }
      const next = await store.nextSubmission();
      waitsForRoom = next !== undefined && next <= now();
      return next === undefined ? undefined : waitsForRoom ? LOOK_MS : next - now();
    },
  });
  const unsubscribe = store.onChange(() => {
    if (waitsForRoom) loop.wake();
  });
  return {
    wake: loop.wake,
    async stop() {
      unsubscribe();
      await loop.stop();
    },
  };
}
