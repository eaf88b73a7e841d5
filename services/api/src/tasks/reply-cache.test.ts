import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { createReplyCache } from './reply-cache.ts';
import { describeTask, type Task, taskReplySchema, taskSchema } from './task.ts';

/** A store of tasks by number; a change is told at once, as by SQLite, or never, as another replica's may be. */
function storeOf(shared: boolean) {
  const tasks = new Map<string, Task>();
  const listeners: ((id: string) => void)[] = [];
  const put = (id: string, state: Task['state'], tell = true): void => {
    tasks.set(
      id,
      taskSchema.parse({
        ...{ id, subject: 'somebody', kind: 'text-to-image', state, createdAt: 1000, updatedAt: tasks.size },
        ...{ request: { prompt: 'a fox' }, upstreamId: null, units: null, pollAt: null },
        error: state === 'failed' ? { code: 'x', message: 'no' } : null,
        files: state === 'succeeded' ? [{ url: 'https://example.com/a.png' }] : [],
      }),
    );
    if (tell) for (const listener of listeners) listener(id);
  };
  const find = vi.fn(async (id: string) => tasks.get(id));
  const onChange = (listener: (id: string) => void) => {
    listeners.push(listener);
    return () => {};
  };
  return { put, find, store: { find, onChange, shared } };
}

describe('remembered replies', () => {
  it('are always those of the task as it is', async () => {
    const running = fc.constantFrom('queued' as const, 'submitting' as const, 'processing' as const);
    const any = fc.constantFrom('queued' as const, 'processing' as const, 'succeeded' as const, 'failed' as const);
    const step = fc.record({ id: fc.constantFrom('a', 'b', 'c'), first: running, last: any });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { put, store } = storeOf(false);
        const cache = createReplyCache({ store, publicUrl: undefined });
        for (const { id, first, last } of steps) {
          put(id, first);
          // Begins to read before a change and ends after it.
          const reading = cache.of(id);
          put(id, last);
          await reading;
          const task = await store.find(id);
          const reply = await cache.of(id);
          expect(reply?.json).toBe(task && JSON.stringify(taskReplySchema.parse(describeTask(task, undefined))));
        }
      }),
    );
  });

  it('save the look into the store until the task changes', async () => {
    const { put, find, store } = storeOf(false);
    const cache = createReplyCache({ store, publicUrl: undefined });
    put('a', 'processing');
    await cache.of('a');
    await cache.of('a');
    expect(find).toHaveBeenCalledTimes(1);
    put('a', 'succeeded');
    expect((await cache.of('a'))?.task.status).toBe('succeeded');
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('are of ended tasks alone where others may change tasks unheard', async () => {
    const { put, find, store } = storeOf(true);
    const cache = createReplyCache({ store, publicUrl: undefined });
    put('a', 'processing');
    await cache.of('a');
    put('a', 'succeeded', false);
    expect((await cache.of('a'))?.task.status).toBe('succeeded');
    await cache.of('a');
    expect(find).toHaveBeenCalledTimes(2);
  });

  it('are no more than a thousand', async () => {
    const { put, find, store } = storeOf(false);
    const cache = createReplyCache({ store, publicUrl: undefined });
    for (let id = 0; id <= 1000; id += 1) {
      put(String(id), 'succeeded');
      await cache.of(String(id));
    }
    find.mockClear();
    await cache.of('1000');
    expect(find).not.toHaveBeenCalled();
    await cache.of('0');
    expect(find).toHaveBeenCalledTimes(1);
  });
});
