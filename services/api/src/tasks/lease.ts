import type { Logger } from '@klingapi/management';
import type { Store } from '../storage/store.ts';

/** This replica lost its right to submit: it did not say in time that it lives. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** What says to the other replicas that this one lives, so that they leave its tasks alone. */
export interface Lease {
  readonly replica: string;
  /** Fires when the lease has lapsed; a new one comes with the next heartbeat that got through. */
  signal(): AbortSignal;
  /** @throws LeaseLostError */
  check(): void;
  /** The others may take over at once. */
  end(): Promise<void>;
}

export interface LeaseOptions {
  readonly store: Pick<Store, 'shared' | 'heartbeat' | 'leave'>;
  readonly replica: string;
  /** Milliseconds without a heartbeat after which the others take this replica for dead. */
  readonly leaseMs: number;
  readonly logger: Logger;
  /** Milliseconds that only grow, also while the process was stopped. */
  readonly monotonic?: () => number;
}

/**
 * This side gives the lease up before the others may take over: it counts from
 * before the heartbeat was sent, and only four fifths of the time. Alone on its
 * storage a replica keeps the lease until it ends.
 *
 * @throws when the first heartbeat cannot be stored
 */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
  const { store, replica, leaseMs, logger } = options;
  const monotonic = options.monotonic ?? (() => performance.now());
  if (!store.shared) {
    await store.heartbeat(replica, leaseMs);
    const never = new AbortController();
    return { replica, signal: () => never.signal, check: () => {}, end: () => store.leave(replica) };
  }
  let lapse = new AbortController();
  let lapsesAt = 0;
  let lapseTimer: NodeJS.Timeout | undefined;
  let ended = false;

  const beat = async (): Promise<void> => {
    const from = monotonic();
    await store.heartbeat(replica, leaseMs);
    if (ended) return;
    lapsesAt = from + leaseMs * 0.8;
    if (lapse.signal.aborted) lapse = new AbortController();
    clearTimeout(lapseTimer);
    const current = lapse;
    lapseTimer = setTimeout(
      () => {
        logger.error({ replica }, 'lease lapsed');
        current.abort(new LeaseLostError('the lease of this replica has lapsed'));
      },
      Math.max(0, lapsesAt - monotonic()),
    );
  };
  await beat();
  const timer = setInterval(() => {
    beat().catch((error: unknown) => logger.warn({ replica, err: error }, 'heartbeat failed'));
  }, leaseMs / 4);

  return {
    replica,
    signal: () => lapse.signal,
    check() {
      // A process that was stopped wakes up before its timers do.
      if (lapse.signal.aborted || monotonic() > lapsesAt) {
        throw new LeaseLostError('the lease of this replica has lapsed');
      }
    },
    async end() {
      ended = true;
      clearInterval(timer);
      clearTimeout(lapseTimer);
      await store.leave(replica);
    },
  };
}
