import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REQUESTS } from '@klingapi/kling';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Postgres, startPostgres } from '../../../../test/postgres/server.ts';
import type { Task } from '../tasks/task.ts';
import { openStore, type StorageOptions } from './open.ts';
import type { NewCall, NewTask, Store } from './store.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 300_000 });

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
const open: Store[] = [];
afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});
const places = {
  SQLite: async (): Promise<StorageOptions> => ({ dataDir: mkdtempSync(join(tmpdir(), 'store-')) }),
  PostgreSQL: async (): Promise<StorageOptions> => ({ url: await postgres.createDatabase() }),
};
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const call = (id: string, more: Partial<NewCall> = {}): NewCall => ({
  ...{ id, subject: 'alice', operation: 'text-to-speech', createdAt: DAY, estimate: 0.05 },
  ...more,
});
const payload = REQUESTS['image-to-video'].parse({ image: `iVBORw0KGgo${'A'.repeat(100_000)}` });
const task = (id: string, more: Partial<NewTask> = {}): NewTask => ({
  ...{ id, subject: 'alice', kind: 'image-to-video', createdAt: DAY, request: {}, payload },
  ...{ pool: 'videos:kling-v3', slots: 1, estimate: 3 },
  ...more,
});

describe.each(Object.entries(places))('the store on %s', (_name, place) => {
  async function openAt(ended: Task[] = [], failures: unknown[] = []): Promise<Store> {
    const store = await openStore(await place(), {
      ...{ concurrency: 2, now: () => 2 * DAY, onError: () => {} },
      onEnded: (each) => ended.push(each),
      onFailure: (error) => failures.push(error),
    });
    open.push(store);
    await store.heartbeat('r1', 60_000);
    return store;
  }

  it('counts calls and tasks of a caller together, a call that was refused for nothing', async () => {
    const store = await openAt();
    const limits = { unitsPerDay: 3.1 };
    expect((await store.add(task('t', { limits }), 'r1')).outcome).toBe('added');
    expect(await store.addCall(call('a', { limits }))).toEqual({ outcome: 'added' });
    expect(await store.addCall(call('b', { limits }))).toEqual({ outcome: 'added' });
    const later = DAY + HOUR;
    expect(await store.addCall(call('c', { limits, createdAt: later }))).toEqual({
      ...{ outcome: 'over-limit', limit: 'unitsPerDay', retryAfterSeconds: 23 * 3600 },
    });
    expect((await store.add(task('u', { limits }), 'r1')).outcome).toBe('over-limit');
    expect(await store.addCall(call('c', { limits, subject: 'bob' }))).toEqual({ outcome: 'added' });
    await store.endCall('a', 'failed', 0);
    expect(await store.addCall(call('d', { limits, createdAt: later }))).toEqual({ outcome: 'added' });
    // A day after the first ones there is room again.
    expect(await store.addCall(call('e', { limits, createdAt: 2 * DAY + 1 }))).toEqual({ outcome: 'added' });

    await store.endCall('b', 'succeeded', 0.05);
    expect(await store.callUsage('alice', DAY, DAY + 2 * HOUR)).toEqual([
      { operation: 'text-to-speech', calls: 3, succeeded: 1, failed: 1, units: 0.1 },
    ]);
    expect(await store.callUsage('alice', 0, DAY)).toEqual([]);
  });

  it('counts calls against the number in a minute, and no two at once slip through', async () => {
    const store = await openAt();
    const limits = { createsPerMinute: 2 };
    const made = await Promise.all(['a', 'b', 'c', 'd'].map((id) => store.addCall(call(id, { limits }))));
    expect(made.map(({ outcome }) => outcome).sort()).toEqual(['added', 'added', 'over-limit', 'over-limit']);
    expect((await store.add(task('t', { limits }), 'r1')).outcome).toBe('over-limit');
  });

  it('tells what waits and what is taken, once of each end, and of each query that failed', async () => {
    const ended: Task[] = [];
    const failures: unknown[] = [];
    const store = await openAt(ended, failures);
    const first = await store.add(task('a', { createdAt: DAY - 10 }), 'r1');
    await store.add(task('b'), 'r1');
    await store.add(task('c', { createdAt: DAY + 5 }), 'r1');
    expect(await store.oldest()).toEqual({ queued: DAY + 5, submitting: DAY - 10 });
    expect(await store.slots(DAY)).toEqual([{ pool: 'videos:kling-v3', used: 2, limit: 2 }]);
    if (first.outcome !== 'added' || first.claim === undefined) throw new Error('was not claimed');
    await store.settle(first.claim, { updatedAt: DAY, state: 'submitted', upstreamId: 'u', pollAt: 1 });
    const change = { updatedAt: DAY + 1, state: 'succeeded', pollAt: null, units: 3 } as const;
    await Promise.all([store.progress('a', change), store.progress('a', change)]);
    await store.progress('a', change);
    expect(ended).toMatchObject([{ id: 'a', state: 'succeeded', units: 3 }]);
    expect(failures).toEqual([]);
    await expect(store.addCall(call('x')).then(() => store.addCall(call('x')))).rejects.toThrow();
    expect(failures).toHaveLength(1);
  });

  it('claims with the whole request at hand or by its length, and lists without it', async () => {
    const store = await openAt();
    for (const id of ['a', 'b', 'c']) await store.add(task(id), 'r1');
    const added = await store.add(task('d', { pool: 'videos:kling-v2-6' }), 'r1');
    expect(added).toMatchObject({ claim: { payload, bytes: JSON.stringify(payload).length } });
    await store.leave('r1');
    await store.heartbeat('r2', 60_000);
    const claims = await store.claimSubmissions('r2', 2 * DAY, 9);
    expect(claims.map(({ bytes }) => bytes)).toEqual(claims.map(() => JSON.stringify(payload).length));
    expect(claims.length).toBeGreaterThan(0);
    expect(JSON.stringify(await store.list('alice', { limit: 9 })).length).toBeLessThan(5000);
  });
});
