import type { Logger } from '@klingapi/management';

export interface LoopOptions {
  /** For the log. */
  readonly name: string;
  /** One round; in milliseconds from now when to come back, undefined when nothing is to come. */
  readonly turn: () => Promise<number | undefined>;
  /** At most so long between rounds, as work can come from elsewhere; undefined: none can. */
  readonly longestMs: number | undefined;
  readonly logger: Logger;
}

export interface Loop {
  /** Comes round within so many milliseconds (at once); during a round: after it. */
  wake(withinMs?: number): void;
  /** Waits for the round that runs. */
  stop(): Promise<void>;
}

/** For wakes that come in crowds: what happens within so long is looked at in one round. */
export const GATHER_MS = 20;

const AFTER_FAILURE_MS = 1000;
/** The longest that a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Rounds of work, one at a time, when there is some. Starts with one. */
export function startLoop({ name, turn, longestMs, logger }: LoopOptions): Loop {
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;
  /** When the next round begins at the latest, by `performance.now()`. */
  let due = Number.POSITIVE_INFINITY;
  let stopped = false;

  const wake = (withinMs = 0): void => {
    const at = performance.now() + Math.max(0, withinMs);
    if (stopped || at >= due) return;
    due = at;
    if (round !== undefined) return;
    clearTimeout(timer);
    if (withinMs <= 0) run();
    else timer = setTimeout(run, Math.min(LONGEST_TIMER_MS, withinMs));
  };

  const run = (): void => {
    clearTimeout(timer);
    due = Number.POSITIVE_INFINITY;
    round = turn()
      .catch((error: unknown) => {
        logger.error({ loop: name, err: error }, 'round of work failed');
        // What cannot be stored now must not be asked for in a loop.
        due = Number.POSITIVE_INFINITY;
        return AFTER_FAILURE_MS;
      })
      .then((milliseconds = Number.POSITIVE_INFINITY) => {
        round = undefined;
        const wanted = due - performance.now();
        due = Number.POSITIVE_INFINITY;
        const wait = Math.min(wanted, milliseconds, longestMs ?? Number.POSITIVE_INFINITY);
        if (wait !== Number.POSITIVE_INFINITY) wake(wait);
      });
  };

  run();
  return {
    wake,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
