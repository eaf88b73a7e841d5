/** Whether a service that others depend on is worth asking now. */
export interface Circuit {
  /** Asked once before each call. While the circuit is open one call in a while is let through to try. */
  lets(): boolean;
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
    lets() {
      if (inRow < failures) return true;
      if (now() < nextTrial) return false;
      // The trial may never come to an end that is told here; then the next one follows in time.
      nextTrial = now() + openMs;
      return true;
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
