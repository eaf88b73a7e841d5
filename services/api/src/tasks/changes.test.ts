import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createChanges } from './changes.ts';

function start() {
  let tell = (_id: string): void => {};
  const onChange = (listener: (id: string) => void) => {
    tell = listener;
    return () => {};
  };
  const changes = createChanges({ store: { onChange, shared: true }, lookAgainMs: 1 });
  return { changes, tell: (id: string) => tell(id) };
}

describe('who waits for a task', () => {
  it('leaves nothing behind on what outlives the wait', async () => {
    const { changes, tell } = start();
    const gone = new AbortController();
    const watch = changes.watch('a');
    for (let round = 0; round < 20; round += 1) {
      const next = watch.next(1000, gone.signal);
      if (round % 2 === 0) tell('a');
      await next;
    }
    expect(getEventListeners(gone.signal, 'abort')).toEqual([]);
    expect(getEventListeners(changes.released, 'abort')).toEqual([]);
    watch.close();
  });

  it('is let go by a change, by the client going away, and by the end of the process', async () => {
    const { changes, tell } = start();
    const patient = createChanges({ store: { onChange: () => () => {}, shared: false } });
    const watch = changes.watch('a');
    tell('a');
    await watch.next(60_000, new AbortController().signal);

    const gone = new AbortController();
    const left = patient.watch('a').next(60_000, gone.signal);
    gone.abort();
    await left;

    const ending = patient.watch('a').next(60_000, new AbortController().signal);
    patient.release();
    await ending;
    await patient.watch('a').next(60_000, new AbortController().signal);
  });
});
