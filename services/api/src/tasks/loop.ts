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
  /** Comes round at once; during a round: right after it. */
  wake(): void;
  /** Waits for the round that runs. */
  stop(): Promise<void>;
}

const AFTER_FAILURE_MS = 1000;
/** The longest that a timer can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Rounds of work, one at a time, when there is some. Starts with one. */
export function startLoop({ name, turn, longestMs, logger }: LoopOptions): Loop {
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const sleep = (milliseconds: number | undefined): void => {
    clearTimeout(timer);
    const wait = Math.min(milliseconds ?? Number.POSITIVE_INFINITY, longestMs ?? Number.POSITIVE_INFINITY);
    if (stopped || wait === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(run, Math.min(LONGEST_TIMER_MS, Math.max(0, wait)));
  };

  const run = (): void => {
    if (stopped) return;
    if (round !== undefined) {
      again = true;
      return;
    }
    clearTimeout(timer);
    again = false;
    round = turn()
      .catch((error: unknown) => {
        logger.error({ loop: name, err: error }, 'round of work failed');
        // What cannot be stored now must not be asked for in a loop.
        again = false;
        return AFTER_FAILURE_MS;
      })
      .then((milliseconds) => {
        round = undefined;
        if (again) run();
        else sleep(milliseconds);
      });
  };

  run();
  return {
    wake: run,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
