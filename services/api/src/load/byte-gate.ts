/** Lets through in order, as long as all inside hold no more than so many bytes together; one alone always passes. */
export interface ByteGate {
  /** @returns to be called once when the bytes are let go */
  pass(bytes: number): Promise<() => void>;
}

export function createByteGate(most: number): ByteGate {
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  let inside = 0;

  const fits = (bytes: number) => inside === 0 || inside + bytes <= most;
  const letIn = (): void => {
    for (let next = waiting[0]; next !== undefined && fits(next.bytes); next = waiting[0]) {
      waiting.shift();
      inside += next.bytes;
      next.enter();
    }
  };

  return {
    async pass(bytes) {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter });
        letIn();
      });
      return () => {
        inside -= bytes;
        letIn();
      };
    },
  };
}
