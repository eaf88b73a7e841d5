/**
 * The sandbox's own time, which can run faster than the world's and can jump.
 * Tasks, callbacks and the deletion of results follow it; signatures, tokens and
 * limits of rate do not, because whoever checks those looks at a real clock.
 */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Sandbox seconds that pass in a real second; 0 stands still. */
  readonly speed: number;
  setSpeed(speed: number): void;
  advance(milliseconds: number): void;
  /**
   * Calls once, when so much of the sandbox's time has passed; what was due in a
   * jump is called at once, in order. Of more than 20000 calls that wait the first
   * due is given up: time that stands still would let them grow without end.
   */
  after(milliseconds: number, call: () => void): void;
  /** Back to real time; nothing that waits is called any more. */
  reset(): void;
}

/** Two of each task that is remembered. */
const MOST = 20_000;
/** Timers of Node hold 24 days; so long nothing needs to be certain here. */
const LONGEST_MS = 60_000;

export interface ClockOptions {
  /** Real time, Unix milliseconds. */
  readonly now?: () => number;
  readonly speed?: number;
}

export function createClock({ now: real = Date.now, speed: initial = 1 }: ClockOptions = {}): Clock {
  let speed = initial;
  let since = { real: real(), own: real() };
  let waiting: { readonly at: number; readonly call: () => void }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const now = () => since.own + (real() - since.real) * speed;
  const wake = () => {
    clearTimeout(timer);
    for (;;) {
      const [next] = waiting;
      if (next === undefined || next.at > now()) break;
      waiting.shift();
      next.call();
    }
    const [next] = waiting;
    if (next === undefined || speed === 0) return;
    timer = setTimeout(wake, Math.min(LONGEST_MS, Math.max(1, Math.ceil((next.at - now()) / speed))));
  };
  const rebase = (own: number) => {
    since = { real: real(), own };
    wake();
  };

  return {
    now: () => Math.floor(now()),
    get speed() {
      return speed;
    },
    setSpeed(wanted) {
      const own = now();
      speed = wanted;
      rebase(own);
    },
    advance: (milliseconds) => rebase(now() + milliseconds),
    after(milliseconds, call) {
      const at = now() + milliseconds;
      const place = waiting.findLastIndex((each) => each.at <= at) + 1;
      waiting.splice(place, 0, { at, call });
      if (waiting.length > MOST) waiting.shift();
      if (place === 0) wake();
    },
    reset() {
      waiting = [];
      speed = initial;
      rebase(real());
    },
  };
}
