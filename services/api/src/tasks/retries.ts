const MINUTE = 60_000;

/**
 * Milliseconds until a task of unknown outcome is looked up again: its age
 * again, so that looks come at 5, 10, 20 s and so on, at most a minute apart.
 */
export function retryDelay(age: number, first: number): number {
  return Math.min(MINUTE, Math.max(first, age));
}

/** How long a pool stays closed after Kling said that it is busy, and for how long what it taught is kept. */
export const BUSY = {
  /** 1302: requests came too fast. */
  tooFastMs: 1000,
  /** 1303: as many tasks run as the account allows. Room comes when one of ours ends, or others' do. */
  tooManyMs: 2000,
  limitKeptMs: MINUTE,
} as const;
