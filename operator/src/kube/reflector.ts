/** Keeps one list and watch going for ever and feeds a cache with it. */

import type { Feed } from './cache.ts';
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { Kind } from './kinds.ts';

export interface ReflectorStatus {
  /** Whether the first list is in. */
  readonly synced: boolean;
  /** Whether a watch is established right now. */
  readonly watching: boolean;
  /** When list and watch last worked, in milliseconds of the clock; null before. */
  readonly lastSyncAt: number | null;
  readonly lastEventAt: number | null;
  /** Since when there is no established watch; null while there is one. */
  readonly downSince: number | null;
  readonly lastError: string | null;
}

export interface Reflector {
  readonly name: string;
  start(): void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
  status(): ReflectorStatus;
}
