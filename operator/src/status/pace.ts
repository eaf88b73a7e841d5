/**
 * At most one status write a second for one resource, however much happens. A look that comes too soon after a write does not
 * begin at all: nothing is decided that would have to wait, so a record and the deletion that it fences are never apart.
 */
import type { Clock } from '../kube/clock.ts';
import type { ObjectKey } from '../kube/controller.ts';

export interface Pace {
  /** A status was sent, whatever became of it. */
  wrote(key: ObjectKey): void;
  /** @returns milliseconds until the next look may begin; 0: now */
  waitMs(key: ObjectKey): number;
}

const APART_MS = 1_000;

export function createPace(clock: Pick<Clock, 'monotonic'>): Pace {
  /** Oldest first. */
  const sentAt = new Map<string, number>();
  const nameOf = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;
  const left = (at: number): number => Math.max(0, Math.ceil(at + APART_MS - clock.monotonic()));
  return {
    wrote(key) {
      for (const [old, at] of sentAt) {
        if (left(at) > 0) break;
        sentAt.delete(old);
      }
      sentAt.delete(nameOf(key));
      sentAt.set(nameOf(key), clock.monotonic());
    },
    waitMs(key) {
      const at = sentAt.get(nameOf(key));
      return at === undefined ? 0 : left(at);
    },
  };
}
