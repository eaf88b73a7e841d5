import { ApiError } from './errors.ts';

/** What one caller may hold at a time, and for how long. */
export interface Limits {
  /** Longest body of one request. */
  maxBodyBytes: number;
  /** Requests of one caller that are open at the same time; streams count too. */
  maxConcurrent: number;
  /** Bodies of those requests together. */
  maxConcurrentBodyBytes: number;
  /** Longest time from the head of a request to the end of its reply. */
  maxRequestSeconds: number;
}

export const DEFAULT_LIMITS: Limits = {
  // Pictures travel in arguments, in Base64.
  maxBodyBytes: 16 * 1024 * 1024,
  maxConcurrent: 128,
  maxConcurrentBodyBytes: 128 * 1024 * 1024,
  // More than the longest wait that a tool offers.
  maxRequestSeconds: 900,
};

/** Counts what each caller holds; callers that hold nothing are forgotten. */
export interface Places {
  /** @returns gives the place back (once), or null when the caller has no more */
  take(subject: string, bytes: number): (() => void) | null;
  taken(): number;
}

export function createPlaces({
  maxConcurrent,
  maxConcurrentBodyBytes,
}: Pick<Limits, 'maxConcurrent' | 'maxConcurrentBodyBytes'>): Places {
  const held = new Map<string, { requests: number; bytes: number }>();
  let taken = 0;
  return {
    take(subject, bytes) {
      const now = held.get(subject) ?? { requests: 0, bytes: 0 };
      const full = now.requests >= maxConcurrent;
      // One body alone always fits: its own limit is another.
      if (full || (now.requests > 0 && now.bytes + bytes > maxConcurrentBodyBytes)) return null;
      held.set(subject, now);
      now.requests += 1;
      now.bytes += bytes;
      taken += 1;
      let given = false;
      return () => {
        if (given) return;
        given = true;
        now.requests -= 1;
        now.bytes -= bytes;
        taken -= 1;
        if (now.requests === 0) held.delete(subject);
      };
    },
    taken: () => taken,
  };
}

/** Why a call that took too long is ended: a result that the model can act on. */
export function overTime(seconds: number): ApiError {
  return new ApiError(
    'time_limit',
    `The call was ended after ${seconds} seconds. A task that it started goes on: ask for its state before starting another.`,
    true,
  );
}
