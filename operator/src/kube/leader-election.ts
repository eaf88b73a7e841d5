/** One of several operators acts: whoever holds the Lease. There is no fencing, so a loss ends the process. */
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
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
  /** Between renewals (2 s); a candidate looks a little more often, so that a released Lease is taken within it. */
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

export declare function createLeaderElection(options: LeaderElectionOptions): LeaderElection;
