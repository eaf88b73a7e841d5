import type { KlingClient, UpstreamTask } from '@klingapi/kling';
import { createLogger } from '@klingapi/management';
import { expect, it, type Mock, vi } from 'vitest';
import { storeOn } from '../storage/open.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { startPoller } from './poller.ts';
import { createProgress } from './progress.ts';

it('asks no more often of a task that Kling is behind with', async () => {
  let clock = 1_800_000_000_000;
  const now = () => clock;
  const store = storeOn(await openSqlite(':memory:', { now }), {});
  await store.heartbeat('r1', 60_000);
  const added = await store.add(
    {
      ...{ id: 't', subject: 's', kind: 'text-to-image', createdAt: clock, request: {}, pool: 'p', slots: 1 },
      payload: { model_name: 'kling-v3', prompt: 'a fox', n: 1 },
    },
    'r1',
  );
  if (added.outcome !== 'added' || added.claim === undefined) throw new Error('the task was not claimed');
  await store.settle(added.claim, { updatedAt: clock, state: 'submitted', upstreamId: 'u', pollAt: clock });
  await store.progress('t', { updatedAt: clock, state: 'processing', pollAt: clock });

  const behind: UpstreamTask = {
    ...{ id: 'u', externalId: undefined, status: 'submitted', statusMessage: '', units: undefined },
    ...{ createdAt: undefined, updatedAt: undefined, images: [], videos: [], audios: [], elements: [], voices: [] },
  };
  const findMany: Mock<KlingClient['findMany']> = vi.fn(async () => {
    // A loop without a pause would never let the test say so.
    if (findMany.mock.calls.length > 3) throw new Error('asked again and again');
    return new Map([['u', behind]]);
  });
  const client: Pick<KlingClient, 'findMany'> = { findMany };
  const logger = createLogger({ name: 'api', level: 'silent' });
  const poller = startPoller({ store, client, progress: createProgress({ now, keepsResults: false }), logger, now });
  await vi.waitFor(() => expect(findMany).toHaveBeenCalledTimes(1), 5000);
  await vi.waitFor(async () => expect(await store.nextPoll()).toBeGreaterThan(clock), 5000);
  // Whoever comes round before it is due asks nothing.
  poller.wake();
  await poller.stop();
  expect(findMany).toHaveBeenCalledTimes(1);
  expect((await store.find('t'))?.state).toBe('processing');
  clock += 1;
  await store.close();
});
