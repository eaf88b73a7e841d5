import type { KlingClient, UpstreamTask } from '@klingapi/kling';
import { createLogger } from '@klingapi/management';
import { expect, it, vi } from 'vitest';
import { createByteGate } from '../load/byte-gate.ts';
import { storeOn } from '../storage/open.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { startDispatcher } from './dispatcher.ts';
import { LeaseLostError, takeLease } from './lease.ts';
import type { Loop } from './loop.ts';
import { createProgress } from './progress.ts';
import { createSubmissions } from './submissions.ts';

const made: UpstreamTask = {
  id: 'upstream-1',
  externalId: 't1',
  status: 'submitted',
  statusMessage: '',
  createdAt: undefined,
  updatedAt: undefined,
  images: [],
  videos: [],
  audios: [],
  elements: [],
  voices: [],
  units: undefined,
};

it('looks a task up again that Kling took and the storage could not note', async () => {
  const disk = storeOn(await openSqlite(':memory:'), {});
  let full = true;
  const whenFull = () => {
    if (full) throw new Error('database or disk is full');
  };
  const store: typeof disk = {
    ...disk,
    async settle(claim, change) {
      whenFull();
      return await disk.settle(claim, change);
    },
    async putBack(claim, at) {
      whenFull();
      await disk.putBack(claim, at);
    },
  };
  const logger = createLogger({ name: 'api', level: 'silent' });
  const now = Date.now;
  const lease = await takeLease({ store, replica: 'r1', leaseMs: 1000, logger });
  const create = vi.fn<KlingClient['create']>(async (_kind, _request, _id, options) => {
    await options?.beforeSend?.(1);
    return made;
  });
  const loops: Loop[] = [];
  const submissions = createSubmissions({
    store,
    client: { create, find: async () => made },
    fillIn: async (_subject, request) => request,
    inlineBytes: async () => 0,
    gate: createByteGate(1),
    lease,
    progress: createProgress({ now, keepsResults: false }),
    logger,
    now,
    onSubmitted: () => {},
    onWaiting: () => loops.forEach((loop) => void loop.wake()),
    retryMs: 5,
  });
  const added = await store.add(
    {
      id: 't1',
      subject: 'alice',
      kind: 'text-to-image',
      createdAt: now(),
      request: {},
      payload: { prompt: 'x', model_name: 'kling-v3', aspect_ratio: '1:1', n: 1 },
      pool: 'images:kling-v3',
      slots: 1,
    },
    'r1',
  );
  if (added.outcome !== 'added' || added.claim === undefined) throw new Error('not claimed');
  loops.push(startDispatcher({ store, lease, submissions, logger, now }));
  await expect(submissions.submit(added.claim)).rejects.toThrow('disk is full');
  full = false;
  await vi.waitFor(async () =>
    expect(await store.find('t1')).toMatchObject({ state: 'submitted', upstreamId: 'upstream-1' }),
  );
  expect(create).toHaveBeenCalledTimes(1);
  await Promise.all(loops.map((loop) => loop.stop()));
  await submissions.drain();
  await store.close();
});

it('gives a task back when its lease lapses, and sends nothing more under the lost claim', async () => {
  const store = storeOn(await openSqlite(':memory:'), {});
  await store.heartbeat('r1', 1000);
  const logger = createLogger({ name: 'api', level: 'silent' });
  let lapsed = false;
  const lapse = new AbortController();
  const create = vi.fn<KlingClient['create']>(async (_kind, _request, _id, options) => {
    await options?.beforeSend?.(1);
    lapsed = true;
    await options?.beforeSend?.(2);
    return made;
  });
  const submissions = createSubmissions({
    store,
    client: { create, find: async () => made },
    fillIn: async (_subject, request) => request,
    inlineBytes: async () => 0,
    gate: createByteGate(1),
    lease: {
      replica: 'r1',
      signal: () => lapse.signal,
      check() {
        if (lapsed) throw new LeaseLostError('lapsed');
      },
      end: async () => {},
    },
    progress: createProgress({ now: Date.now, keepsResults: false }),
    logger,
    now: Date.now,
    onSubmitted: () => {},
    onWaiting: () => {},
    retryMs: 5,
  });
  const payload = { prompt: 'x', model_name: 'kling-v3', aspect_ratio: '1:1', n: 1 } as const;
  const task = { id: 't1', subject: 'alice', kind: 'text-to-image', createdAt: 1, request: {}, payload } as const;
  const added = await store.add({ ...task, pool: 'p', slots: 1 }, 'r1');
  if (added.outcome !== 'added' || added.claim === undefined) throw new Error('not claimed');
  await submissions.submit(added.claim);
  await vi.waitFor(async () => {
    expect(await store.claimSubmissions('r2', Date.now(), 9)).toMatchObject([{ task: { id: 't1' }, sent: true }]);
  });
  await submissions.drain();
  await store.close();
});

it.each([
  ['large requests', { image: 'x'.repeat(100_000) }, 0],
  ['requests with large files', {}, 100_000],
])('holds %s one after another, and those that wait not at all', async (_what, picture, inline) => {
  const store = storeOn(await openSqlite(':memory:'), {});
  const logger = createLogger({ name: 'api', level: 'silent' });
  const lease = await takeLease({ store, replica: 'r1', leaseMs: 60_000, logger });
  const gate = createByteGate(150_000);
  const filled: string[] = [];
  const read = vi.spyOn(store, 'payload');
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const submissions = createSubmissions({
    ...{ store, lease, logger, gate, now: Date.now, onSubmitted: () => {}, onWaiting: () => {} },
    client: {
      create: async () => {
        await held;
        return made;
      },
      find: async () => undefined,
    },
    fillIn: async (subject, request) => {
      filled.push(subject);
      return request;
    },
    inlineBytes: async () => inline,
    progress: createProgress({ now: Date.now, keepsResults: false }),
  });
  const payload = { prompt: 'x', model_name: 'kling-v3', aspect_ratio: '1:1', n: 1, ...picture } as const;
  const add = async (id: string) => {
    const task = { id, subject: id, kind: 'text-to-image', createdAt: 1, request: {}, payload } as const;
    const added = await store.add({ ...task, pool: 'p', slots: 1 }, 'r1');
    if (added.outcome !== 'added' || added.claim === undefined) throw new Error('not claimed');
    return added.claim;
  };
  const submitted = [submissions.submit(await add('t1')), submissions.submit(await add('t2'))];
  await vi.waitFor(() => expect([filled, gate.waiting()]).toEqual([['t1'], 1]));
  letGo();
  await Promise.all(submitted);
  expect(filled).toEqual(['t1', 't2']);
  // What is large comes from the store when its turn has come, so that nothing holds it before.
  expect(read.mock.calls.flat()).toEqual(inline === 0 ? ['t1', 't2'] : []);
  await store.close();
});
