/** Lets through in order, as long as all inside hold no more than so many bytes together; one alone always passes. */
export interface ByteGate {
  /**
   * @param signal ends the wait
   * @returns to be called when the bytes are let go; undefined when the wait was ended
   */
  pass(bytes: number, signal?: AbortSignal): Promise<(() => void) | undefined>;
  /** Bytes inside. */
  inside(): number;
  /** How many wait. */
  waiting(): number;
}

export function createByteGate(most: number): ByteGate {
  const waiting = new Set<{ readonly bytes: number; readonly enter: () => void }>();
  let inside = 0;

  const fits = (bytes: number) => inside === 0 || inside + bytes <= most;
  const letIn = (): void => {
    for (const next of waiting) {
      if (!fits(next.bytes)) return;
      waiting.delete(next);
      inside += next.bytes;
      next.enter();
    }
  };
  const leave = (bytes: number) => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inside -= bytes;
      letIn();
    };
  };

  return {
    async pass(bytes, signal) {
      if (signal?.aborted === true) return undefined;
      return await new Promise((resolve) => {
        const giveUp = (): void => {
          waiting.delete(entry);
          resolve(undefined);
          letIn();
        };
        const entry = {
          bytes,
          enter: () => {
            signal?.removeEventListener('abort', giveUp);
            resolve(leave(bytes));
          },
        };
        signal?.addEventListener('abort', giveUp, { once: true });
        waiting.add(entry);
        letIn();
      });
    },
    inside: () => inside,
    waiting: () => waiting.size,
  };
}
