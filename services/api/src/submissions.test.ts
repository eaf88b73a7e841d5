import type { KlingClient, UpstreamTask } from '@klingapi/kling';
import { createLogger } from '@klingapi/management';
import { expect, it, vi } from 'vitest';
import { createChanges } from './changes.ts';
import { openSqliteStore } from './sqlite-store.ts';
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
  units: undefined,
};

it('looks a task up again that Kling took and the storage could not note', async () => {
  const store = openSqliteStore(':memory:');
  const added = store.add({
    id: 't1',
    subject: 'alice',
    kind: 'text-to-image',
    createdAt: Date.now(),
    request: {},
    payload: { prompt: 'x', model_name: 'kling-v3', aspect_ratio: '1:1', n: 1 },
  });
  if (added.outcome !== 'added') throw new Error('not added');
  let full = true;
  const create = vi.fn<KlingClient['create']>(async () => made);
  const submissions = createSubmissions({
    store: {
      ...store,
      change(id, change) {
        if (full) throw new Error('database or disk is full');
        return store.change(id, change);
      },
    },
    client: { create, find: async () => made },
    changes: createChanges(),
    logger: createLogger({ name: 'api', level: 'silent' }),
    now: Date.now,
    onSubmitted: () => {},
    retryMs: 5,
  });
  await expect(submissions.submit(added.task)).rejects.toThrow('disk is full');
  full = false;
  await vi.waitFor(() => expect(store.find('t1')).toMatchObject({ state: 'submitted', upstreamId: 'upstream-1' }));
  expect(create).toHaveBeenCalledTimes(1);
  await submissions.drain();
  store.close();
});
