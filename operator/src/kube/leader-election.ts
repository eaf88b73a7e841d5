/** One of several operators acts: whoever holds the Lease. There is no fencing, so a loss ends the process. */
import type { KubeClient } from './client.ts';
import { type Clock, sleep, type Timer } from './clock.ts';
import { isConflict, isNotFound } from './errors.ts';
import { createLeaseStore, type Lease, type LeaseSpec, microTime } from './lease.ts';
import type { KubeLog } from './log.ts';
import type { KubeMetrics } from './metrics.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Unique to this process: `<pod>_<random>`. */
  readonly identity: string;
  /** How long a Lease is good without renewal (15 s). */
  readonly leaseDurationMs?: number | undefined;
  /** The holder gives up when it could not renew for this long (10 s). */
  readonly renewDeadlineMs?: number | undefined;
  /** Between renewals (2 s); a candidate looks about four times as often, so that a released Lease is taken soon. */
  readonly retryPeriodMs?: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: KubeLog;
  readonly metrics?: Pick<KubeMetrics, 'leader'> | undefined;
  readonly onStarted: () => void;
  /** Leadership is gone for good: the process has to end. Not called by `stop`. */
  readonly onLost: (reason: string) => void;
}

export interface LeaderElection {
  start(): void;
  /** Releases the Lease where it is ours. Call it when nothing acts any more. */
  stop(): Promise<void>;
  isLeader(): boolean;
  /** Who holds the Lease, as last seen. */
  holder(): string | undefined;
}

/** Time that a release may take when the process ends. */
const RELEASE_MS = 3_000;

export function createLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const { client, namespace, name, identity, clock, random, log, metrics, onStarted, onLost } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  if (leaseDurationMs <= renewDeadlineMs || renewDeadlineMs <= 1.2 * retryPeriodMs)
    throw new RangeError('leaseDurationMs > renewDeadlineMs > 1.2 × retryPeriodMs must hold');

  const store = createLeaseStore(client, { namespace, name });
  const stopped = new AbortController();
  let running: Promise<void> | undefined;
  let lease: Lease | undefined;
  let seen: { record: string; at: number } | undefined;
  let leading = false;
  let over = false;
  /** When the last renewal that succeeded was sent: the API server cannot have counted from earlier. */
  let renewedAt = 0;
  let deadline: Timer | undefined;

  /** Remembers when a record was first seen: other clocks are not trusted. */
  function observe(found: Lease): void {
    lease = found;
    const record = JSON.stringify(found.spec);
    if (seen?.record !== record) seen = { record, at: clock.monotonic() };
  }

  /** @returns who holds it against us; undefined where it is ours, free or expired */
  function heldByOther({ spec }: Lease): string | undefined {
    const holder = spec.holderIdentity;
    if (holder === undefined || holder === '' || holder === identity || seen === undefined) return undefined;
    const goodForMs = (spec.leaseDurationSeconds ?? leaseDurationMs / 1000) * 1000;
    return clock.monotonic() < seen.at + goodForMs ? holder : undefined;
  }

  function claim(from: Lease | undefined): LeaseSpec {
    const now = microTime(clock.now());
    const ours = from?.spec.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: ours ? (from.spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (from?.spec.leaseTransitions ?? 0) + (ours || from === undefined ? 0 : 1),
    };
  }

  function won(sentAt: number): void {
    // meanwhile given up: a renewal that comes back late brings nothing back
    if (over || stopped.signal.aborted) return;
    renewedAt = sentAt;
    clock.clearTimeout(deadline);
    const left = Math.max(0, renewDeadlineMs - (clock.monotonic() - sentAt));
    // of its own, so that no call that hangs can hold it up
    deadline = clock.setTimeout(() => lost(`Lease was not renewed for ${renewDeadlineMs / 1000} s`), left);
    if (leading) return;
    leading = true;
    metrics?.leader(name, true);
    log.info({ lease: `${namespace}/${name}`, identity }, 'Leadership was acquired');
    onStarted();
  }

  function lost(reason: string): void {
    if (!leading || over) return;
    leading = false;
    over = true;
    clock.clearTimeout(deadline);
    metrics?.leader(name, false);
    log.error({ lease: `${namespace}/${name}`, identity, reason }, 'Leadership was lost');
    onLost(reason);
  }

  async function look(): Promise<void> {
    const call = { timeoutMs: renewDeadlineMs / 2, signal: stopped.signal };
    const sentAt = clock.monotonic();
    if (leading && lease !== undefined) {
      try {
        observe(await store.replace(lease, claim(lease), call));
        won(sentAt);
        return;
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    }
    const found = await store.read(call);
    if (found === undefined) {
      const made = clock.monotonic();
      observe(await store.create(claim(undefined), call));
      won(made);
      return;
    }
    observe(found);
    const other = heldByOther(found);
    if (other !== undefined) {
      lost(`Lease was taken by ${other}`);
      return;
    }
    const sentAgainAt = clock.monotonic();
    observe(await store.replace(found, claim(found), call));
    won(sentAgainAt);
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted && !over) {
      let pause: number;
      try {
        await look();
        pause = leading ? 1 : 0.2 + 0.1 * random();
      } catch (error) {
        if (stopped.signal.aborted) return;
        // two candidates at once: one of them is told of a conflict, and looks again
        if (!isConflict(error))
          log.warn(
            { lease: `${namespace}/${name}`, leading, error: error instanceof Error ? error.message : String(error) },
            'Lease could not be updated',
          );
        pause = 0.5;
      }
      await sleep(clock, retryPeriodMs * pause, stopped.signal);
    }
  }

  /** So that the next holder need not wait for the Lease to expire. */
  async function release(): Promise<void> {
    for (let attempt = 0; attempt < 2 && lease?.spec.holderIdentity === identity; attempt += 1) {
      try {
        const spec = { ...claim(lease), holderIdentity: '', leaseDurationSeconds: 1 };
        await store.replace(lease, spec, { timeoutMs: RELEASE_MS });
        log.info({ lease: `${namespace}/${name}`, identity }, 'Leadership was released');
        return;
      } catch (error) {
        if (!isConflict(error)) throw error;
        // a renewal that was cut off arrived after all
        lease = await store.read({ timeoutMs: RELEASE_MS });
      }
    }
  }

  return {
    start() {
      // without election nobody leads, and that is nothing to warn of
      if (running === undefined) metrics?.leader(name, false);
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
      clock.clearTimeout(deadline);
      if (!leading) return;
      leading = false;
      metrics?.leader(name, false);
      await release().catch((error: unknown) =>
        log.warn({ lease: `${namespace}/${name}`, error: String(error) }, 'Lease could not be released'),
      );
    },
    isLeader: () => leading && clock.monotonic() - renewedAt < renewDeadlineMs,
    holder: () => lease?.spec.holderIdentity,
  };
}
