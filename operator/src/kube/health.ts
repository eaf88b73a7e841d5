/** Whether this process is worth keeping (liveness) and worth waiting for (readiness). */
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Reflector } from './reflector.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** Every reason why not; empty where ok. */
  readonly problems: readonly string[];
}

export interface HealthOptions {
  readonly client: Pick<KubeClient, 'version'>;
  readonly reflectors: readonly Reflector[];
  readonly clock: Clock;
  /** How long a watch may be down while the API server answers (3 min). */
  readonly downLimitMs?: number | undefined;
  /** Further conditions of readiness; each returns its problem or null. */
  readonly readiness?: readonly (() => string | null)[] | undefined;
}

export interface Health {
  /** Fails only while the API server answers and a watch has been down for `downLimitMs` all the same. */
  live(): Promise<HealthReport>;
  /** The API server answers and every cache has synced, leading or standing by. */
  ready(): Promise<HealthReport>;
}

export declare function createHealth(options: HealthOptions): Health;
