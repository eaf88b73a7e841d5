/** Whether a service that others depend on is worth asking now. */
export interface Circuit {
  /**
   * Asked before each call. While the circuit is open one call in a while is let through to try.
   * @returns milliseconds until that; 0: call
   */
  waitMs(): number;
  /** The service answered, whatever it said. */
  answered(): void;
  /** Nothing answered. */
  failed(): void;
  isOpen(): boolean;
}

export interface CircuitOptions {
  /** Calls in a row that nobody answered, until no more are made. */
  failures: number;
  /** Time between two trials. */
  openMs: number;
  /** Milliseconds, any origin, never set back. */
  now: () => number;
}

export function createCircuit({ failures, openMs, now }: CircuitOptions): Circuit {
  let inRow = 0;
  let nextTrial = 0;
  return {
    waitMs() {
      if (inRow < failures) return 0;
      const left = nextTrial - now();
      if (left > 0) return left;
      // The trial may never come to an end that is told here; then the next one follows in time.
      nextTrial = now() + openMs;
      return 0;
    },
    answered() {
      inRow = 0;
    },
    failed() {
      inRow += 1;
      if (inRow >= failures) nextTrial = now() + openMs;
    },
    isOpen: () => inRow >= failures,
  };
}
