import type { RequestId } from '@modelcontextprotocol/server';

/**
 * Waits of the older era that are open in this process. There, a client that no
 * longer wants an answer says so in a request of its own, and the connection of
 * the wait stays open; so the wait has to be found by who asked and the id.
 */
export interface OpenWaits {
  /** @returns aborted when the client no longer waits; `close` when the wait is over */
  open(subject: string, request: RequestId): { ended: AbortSignal; close: () => void };
  /**
   * Ends what this caller waits for under this id. Clients that share a key count
   * their requests alike, so it may be another one's; it is answered with the task as it
   * is, and asks again.
   */
  end(subject: string, request: RequestId): void;
}

export function createOpenWaits(): OpenWaits {
  const waits = new Map<string, Set<AbortController>>();
  const keyOf = (subject: string, request: RequestId) => JSON.stringify([subject, request]);
  return {
    open(subject, request) {
      const key = keyOf(subject, request);
      const wait = new AbortController();
      const same = waits.get(key) ?? new Set();
      waits.set(key, same.add(wait));
      return {
        ended: wait.signal,
        close() {
          same.delete(wait);
          if (same.size === 0 && waits.get(key) === same) waits.delete(key);
        },
      };
    },
    end(subject, request) {
      for (const wait of waits.get(keyOf(subject, request)) ?? []) wait.abort();
    },
  };
}
