import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { REQUESTS } from '@klingapi/kling';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Postgres, startPostgres } from '../../../../test/postgres/server.ts';
import { openStore, type StorageOptions } from './open.ts';
import type { Claim, NewTask, Store, TaskChange } from './store.ts';
import type { TaskTableOptions } from './task-table.ts';

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

async function openAt(place: StorageOptions, options: TaskTableOptions = {}): Promise<Store> {
  const store = await openStore(place, { ...options, onError: () => {}, now: () => 1_000_000 });
  open.push(store);
  await store.heartbeat('r1', 60_000);
  return store;
}

const payload = REQUESTS['text-to-image'].parse({ prompt: 'a fox' });
const task = (id: string, more: Partial<NewTask> = {}): NewTask => ({
  id,
  subject: 'alice',
  kind: 'text-to-image',
  createdAt: 1000,
  request: { prompt: 'a fox' },
  payload,
  pool: 'images:kling-v3',
  slots: 1,
  ...more,
});

async function claimOf(store: Store, id: string, more: Partial<NewTask> = {}): Promise<Claim> {
  const added = await store.add(task(id, more), 'r1');
  if (added.outcome !== 'added' || added.claim === undefined) throw new Error(`${id} was not claimed`);
  return added.claim;
}
const ids = (claims: readonly Claim[]) => claims.map((claim) => claim.task.id).sort();

describe.each(Object.entries(places))('the store on %s', (_name, place) => {
  it('has a task, with its whole request, after it was opened anew', async () => {
    const where = await place();
    const store = await openAt(where);
    await store.add(task('a'), 'r1');
    await store.close();
    open.pop();
    const again = await openAt(where);
    expect(await again.find('a')).toMatchObject({ id: 'a', state: 'submitting', subject: 'alice', files: [] });
    expect(await again.payload('a')).toEqual(payload);
    expect(await again.find('b')).toBeUndefined();
  });

  it('forgets the whole request once Kling has the task, and keeps what a change leaves out', async () => {
    const store = await openAt(await place());
    const claim = await claimOf(store, 'a');
    await store.settle(claim, { updatedAt: 2000, state: 'submitted', upstreamId: 'u', pollAt: 3000 });
    expect(await store.payload('a')).toBeUndefined();
    expect(await store.nextSubmission()).toBeUndefined();
    expect(await store.nextPoll()).toBe(3000);
    expect(await store.claimPolls(2999, 9, 5000)).toEqual([]);
    expect(await store.claimPolls(3000, 9, 5000)).toMatchObject([{ id: 'a' }]);
    expect(await store.claimPolls(4999, 9, 5000)).toEqual([]);
    const files = [{ url: 'https://x/0.png' }];
    const change = { updatedAt: 4000, state: 'succeeded', pollAt: null, files, units: 8 } as const;
    expect(await store.progress('a', change)).toMatchObject({ upstreamId: 'u', updatedAt: 4000, files, units: 8 });
    expect([await store.nextPoll(), await store.counts()]).toEqual([undefined, { succeeded: 1 }]);
    expect(await store.findByUpstreamId('u')).toMatchObject({ id: 'a' });
  });

  it('never takes a task back', async () => {
    const store = await openAt(await place());
    await store.settle(await claimOf(store, 'a'), { updatedAt: 1, state: 'processing', upstreamId: 'u' });
    expect(await store.progress('a', { updatedAt: 2, state: 'submitted' })).toMatchObject({ state: 'processing' });
    await store.progress('a', { updatedAt: 3, state: 'failed', pollAt: null, error: { code: 'c', message: 'm' } });
    expect(await store.progress('a', { updatedAt: 4, state: 'succeeded' })).toMatchObject({ state: 'failed' });
    await store.pollAgain([{ id: 'a', pollAt: 5 }]);
    expect(await store.nextPoll()).toBeUndefined();
  });

  it('gives one task for one key of one subject, until the key is let go', async () => {
    const store = await openAt(await place());
    const idempotency = { key: 'k', fingerprint: 'f' };
    const outcomes = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((id) => store.add(task(id, { idempotency }), 'r1')),
    );
    const first = outcomes.find((added) => added.outcome === 'added');
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['added', 'known', 'known', 'known', 'known']);
    for (const added of outcomes) {
      expect(added).toMatchObject({ task: { id: first?.task.id } });
    }
    const other = { key: 'k', fingerprint: 'g' };
    expect((await store.add(task('f', { idempotency: other }), 'r1')).outcome).toBe('key-of-another-request');
    expect((await store.add(task('g', { idempotency, subject: 'bob' }), 'r1')).outcome).toBe('added');
    await store.settle(first!.claim!, { updatedAt: 1, state: 'failed', releaseKey: true });
    expect((await store.add(task('h', { idempotency }), 'r1')).outcome).toBe('added');
  });

  it('refuses what an older claim writes', async () => {
    const store = await openAt(await place());
    const first = await claimOf(store, 'a');
    await store.putBack(first, 2000);
    expect(await store.claimSubmissions('r1', 1999, 9)).toEqual([]);
    const [second] = await store.claimSubmissions('r1', 2000, 9);
    expect(second).toMatchObject({ task: { id: 'a' }, fence: first.fence + 1, sent: true });
    expect(await store.markSent(first, 'r1')).toBe(false);
    expect(await store.settle(first, { updatedAt: 1, state: 'failed' })).toBeUndefined();
    await store.putBack(first, 5);
    await store.requeue(first, { now: 5, blockedUntil: 0 });
    expect(await store.find('a')).toMatchObject({ state: 'submitting' });
    expect(await store.markSent(second!, 'r1')).toBe(true);
    expect(await store.settle(second!, { updatedAt: 1, state: 'submitted' })).toMatchObject({ state: 'submitted' });
  });

  it('lists the tasks of one subject from the newest, in pages that nothing new shifts', async () => {
    const store = await openAt(await place());
    for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) {
      await store.add(task(id, { createdAt: 1000 + Math.floor(at / 2), subject: id === 'd' ? 'bob' : 'alice' }), 'r1');
    }
    const first = await store.list('alice', { limit: 2 });
    expect(first.map(({ id }) => id)).toEqual(['c', 'b']);
    await store.add(task('e', { createdAt: 2000, subject: 'alice' }), 'r1');
    const rest = await store.list('alice', { limit: 2, after: first[1] });
    expect(rest.map(({ id }) => id)).toEqual(['a']);
    expect(await store.list('alice', { limit: 9, states: ['failed'] })).toEqual([]);
    expect(await store.list('alice', { limit: 9, from: 1001, to: 2000 })).toHaveLength(1);
  });

  it('counts what tasks cost, and lets nobody over a limit, however many come at once', async () => {
    const store = await openAt(await place());
    const make = (id: string, limits: NewTask['limits']) =>
      store.add(task(id, { subject: 'carol', estimate: 8, limits }), 'r1');
    const outcomes = await Promise.all(['a', 'b', 'c', 'd'].map((id) => make(id, { unitsPerDay: 17 })));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['added', 'added', 'over-limit', 'over-limit']);
    const [claim] = outcomes.flatMap((added) => (added.outcome === 'added' ? [added.claim!] : []));
    await store.settle(claim!, { updatedAt: 2000, state: 'succeeded', units: 1 });
    expect(await store.usage('carol', 0, 9999)).toMatchObject([{ tasks: 2, succeeded: 1, units: 1, expectedUnits: 8 }]);
    // The real cost counts, not what was expected.
    expect(await make('e', { unitsPerDay: 17 })).toMatchObject({ outcome: 'added' });
    expect(await make('f', { createsPerMinute: 3 })).toMatchObject({
      outcome: 'over-limit',
      limit: 'createsPerMinute',
    });
  });

  it('counts a task for the most that it may cost until its cost is known', async () => {
    const store = await openAt(await place());
    const make = (id: string) =>
      store.add(task(id, { subject: 'carol', estimate: 1, reserved: 10, limits: { unitsPerDay: 15 } }), 'r1');
    const first = await make('a');
    expect(await make('b')).toMatchObject({ outcome: 'over-limit', limit: 'unitsPerDay' });
    expect(await store.usage('carol', 0, 9999)).toMatchObject([{ expectedUnits: 1 }]);
    const claim = first.outcome === 'added' ? first.claim : undefined;
    await store.settle(claim!, { updatedAt: 2000, state: 'succeeded', units: 2 });
    expect(await make('c')).toMatchObject({ outcome: 'added' });
  });

  it('tells who spends and whose tasks fail, over all subjects, and no more rows than are asked for', async () => {
    const store = await openAt(await place());
    const ended = async (id: string, more: Partial<NewTask>, change: Partial<TaskChange>): Promise<void> => {
      const claim = await claimOf(store, id, { estimate: 8, ...more });
      await store.settle(claim, { updatedAt: 2000, state: 'succeeded', ...change });
    };
    // No database reads such a text out of JSON, and a code beside it has to be read all the same.
    const error = { code: 'upstream_moderation', message: 'refused \u0000 "it"' };
    await ended('a', { subject: 'alice' }, { units: 2 });
    await ended('b', { subject: 'oauth:b' }, { units: 5 });
    await ended('c', { subject: 'oauth:b', pool: 'images:kling-v2-1' }, { state: 'failed', error });
    await ended('d', { subject: 'oauth:b', pool: 'images:kling-v2-1' }, { state: 'failed', error });
    const lost = { code: 'upstream_task_lost', message: 'Kling does not have this task any more' };
    await ended('e', { subject: 'alice' }, { state: 'failed', error: lost });
    await ended('f', { subject: 'long ago', createdAt: 10 }, { units: 900 });
    await store.add(task('g', { subject: 'carol', estimate: 3 }), 'r1');
    const call = { operation: 'text-to-speech', createdAt: 1000, estimate: 0.05 } as const;
    await store.addCall({ id: 'h', subject: 'alice', ...call });
    await store.addCall({ id: 'i', subject: 'dave', ...call, estimate: 0.1 });
    await store.endCall('i', 'succeeded', 0.1);

    const told = await store.usageOfAll(1000, 9999, 9);
    const [v3, v2] = ['kling-v3', 'kling-v2-1'].map((model) => ({ kind: 'text-to-image', model }));
    expect(told.tasks).toEqual([
      { subject: 'oauth:b', ...v3, tasks: 1, succeeded: 1, failed: 0, units: 5, expectedUnits: 0 },
      { subject: 'alice', ...v3, tasks: 2, succeeded: 1, failed: 1, units: 2, expectedUnits: 0 },
      { subject: 'carol', ...v3, tasks: 1, succeeded: 0, failed: 0, units: 0, expectedUnits: 3 },
      { subject: 'oauth:b', ...v2, tasks: 2, succeeded: 0, failed: 2, units: 0, expectedUnits: 0 },
    ]);
    expect(told.calls).toEqual([
      { subject: 'dave', operation: 'text-to-speech', calls: 1, succeeded: 1, failed: 0, units: 0.1 },
      { subject: 'alice', operation: 'text-to-speech', calls: 1, succeeded: 0, failed: 0, units: 0.05 },
    ]);
    expect(told.failures).toEqual([
      { subject: 'oauth:b', tasks: 2, ...error },
      { subject: 'alice', tasks: 1, ...lost },
    ]);
    const cut = await store.usageOfAll(0, 9999, 1);
    expect([cut.tasks, cut.calls, cut.failures]).toMatchObject([
      [{ subject: 'long ago' }],
      [{ subject: 'dave' }],
      [{ tasks: 2 }],
    ]);
    expect(await store.usageOfAll(0, 10, 9)).toEqual({ tasks: [], calls: [], failures: [] });
  });

  it('keeps what a caller is to be told until it was told, changes meanwhile too', async () => {
    const store = await openAt(await place());
    const claim = await claimOf(store, 'a', { callbackUrl: 'https://x.example/told' });
    expect(await store.nextNotification()).toBeUndefined();
    await store.settle(claim, { updatedAt: 2000, state: 'submitted' });
    const [told] = await store.claimNotifications(2000, 9, 5000);
    expect(told).toMatchObject({ id: 'a', callbackUrl: 'https://x.example/told', state: 'submitted' });
    await store.progress('a', { updatedAt: 3000, state: 'succeeded' });
    await store.notified(told!, 5000, null);
    const [again] = await store.claimNotifications(3000, 9, 6000);
    expect(again).toMatchObject({ state: 'succeeded', notifyAttempts: 0 });
    await store.notified(again!, 6000, 7000);
    expect(await store.nextNotification()).toBe(7000);
    const [last] = await store.claimNotifications(7000, 9, 9000);
    expect(last).toMatchObject({ notifyAttempts: 1 });
    await store.notified(last!, 9000, null);
    expect(await store.nextNotification()).toBeUndefined();
  });

  it('leaves the tasks of a replica alone as long as it lives', async () => {
    const store = await openAt(await place());
    await claimOf(store, 'a');
    await store.heartbeat('r2', 60_000);
    expect(await store.claimSubmissions('r2', 9000, 9)).toEqual([]);
    expect(await store.nextSubmission()).toBeUndefined();
    await store.leave('r1');
    expect(await store.nextSubmission()).toBe(1000);
    const [claim] = await store.claimSubmissions('r2', 9000, 9);
    expect(claim).toMatchObject({ task: { id: 'a' }, fence: 2, sent: true });
    await store.leave('r2');
    expect(await store.markSent(claim!, 'r2')).toBe(false);
  });

  it('gives a replica again what it holds without knowing, not what it works on or has just claimed', async () => {
    const store = await openAt(await place());
    await claimOf(store, 'a');
    await claimOf(store, 'b');
    const again = (now: number) => store.claimSubmissions('r1', now, 9, (id) => id === 'b');
    expect(await again(60_000)).toEqual([]);
    expect(await again(61_000)).toMatchObject([{ task: { id: 'a' }, fence: 2, sent: true }]);
  });

  it('lets through what the limit allows, in order, and a large task when nothing runs', async () => {
    const store = await openAt(await place(), { concurrency: 3 });
    const running = await claimOf(store, 'a', { slots: 2 });
    for (const [at, [id, slots]] of (
      [
        ['b', 2],
        ['c', 1],
        ['d', 9],
        ['e', 1],
      ] as const
    ).entries()) {
      const added = await store.add(task(id, { slots, createdAt: 1001 + at }), 'r1');
      expect(added).toMatchObject({ outcome: 'added', claim: undefined, task: { state: 'queued' } });
    }
    expect(await store.add(task('other', { pool: 'videos:kling-v3' }), 'r1')).toMatchObject({ claim: { fence: 1 } });
    expect(await store.claimSubmissions('r1', 9000, 9)).toEqual([]);
    await store.settle(running, { updatedAt: 1, state: 'processing' });
    expect(await store.claimSubmissions('r1', 9000, 9)).toEqual([]);
    await store.progress('a', { updatedAt: 2, state: 'succeeded' });
    const next = await store.claimSubmissions('r1', 9000, 9);
    expect(next.map((claim) => [claim.task.id, claim.sent])).toEqual([
      ['b', false],
      ['c', false],
    ]);
    for (const claim of next) await store.settle(claim, { updatedAt: 3, state: 'failed' });
    expect(ids(await store.claimSubmissions('r1', 9000, 9))).toEqual(['d']);
    expect(await store.nextSubmission()).toBe(1004);
  });

  it('learns from a refusal how many tasks may run', async () => {
    const store = await openAt(await place());
    await store.settle(await claimOf(store, 'a'), { updatedAt: 1, state: 'submitted' });
    const refused = await claimOf(store, 'b');
    await store.requeue(refused, { now: 2000, limitUntil: 60_000, blockedUntil: 3000 });
    expect(await store.find('b')).toMatchObject({ state: 'queued' });
    expect(await store.add(task('c', { createdAt: 2500 }), 'r1')).toMatchObject({ claim: undefined });
    expect(await store.claimSubmissions('r1', 2999, 9)).toEqual([]);
    expect(await store.claimSubmissions('r1', 3000, 9)).toEqual([]);
    await store.progress('a', { updatedAt: 2, state: 'succeeded' });
    expect(ids(await store.claimSubmissions('r1', 3000, 9))).toEqual(['b']);
    expect(ids(await store.claimSubmissions('r1', 60_000, 9))).toEqual(['c']);
  });

  it('hides what is claimed, comes back for it, and lets files of an ended task be replaced', async () => {
    const store = await openAt(await place());
    await store.settle(await claimOf(store, 'a'), { updatedAt: 1, state: 'succeeded', mirrorAt: 2000, purgeAt: null });
    expect([await store.nextMirror(), await store.claimMirrors(1999, 1, 0)]).toEqual([2000, []]);
    expect(await store.claimMirrors(2000, 1, 3000)).toMatchObject([{ id: 'a' }]);
    expect(await store.claimMirrors(2000, 1, 3000)).toEqual([]);
    const files = [{ url: 'https://x/0', kept: { etag: '"e"', type: 'image/png', bytes: 3 } }];
    await store.setFiles('a', { files, mirrorAt: null, purgeAt: 4000 });
    expect(await store.find('a')).toMatchObject({ files });
    expect([await store.nextMirror(), await store.claimMirrors(9000, 1, 0)]).toEqual([undefined, []]);
    expect(await store.claimPurges(4000, 1, 5000)).toMatchObject([{ id: 'a' }]);
  });

  const upload = (id: string, more: { subject?: string; bytes?: number } = {}) => ({
    ...{ id, subject: 'alice', token: `token-of-${id}`, type: 'image/png' as const, bytes: 10, ...more },
    ...{ createdAt: 1000, expiresAt: 9_000_000 },
  });
  const bounds = { bytes: 25, files: 9 };

  it('has an upload from its last byte on, by its id and its token, and lets it go', async () => {
    const store = await openAt(await place());
    expect(await store.reserveUpload(upload('u'), bounds)).toBeUndefined();
    expect(await store.findUpload({ id: 'u' })).toBeUndefined();
    const whole = { ...upload('u'), sha256: 'ab', width: 400, height: 300 };
    expect(await store.finishUpload({ id: 'u', sha256: 'ab', width: 400, height: 300 })).toEqual(whole);
    expect(await store.finishUpload({ id: 'u', sha256: 'cd' })).toBeUndefined();
    expect(await store.findUpload({ token: 'token-of-u' })).toEqual(whole);
    expect(await store.retireUpload('u', 2000)).toBe(true);
    expect(await store.findUpload({ id: 'u' })).toBeUndefined();
    expect(await store.claimUploadPurges(2000, 9, 3000)).toEqual(['u']);
    // Whoever claimed it may have died.
    expect([await store.claimUploadPurges(2999, 9, 0), await store.claimUploadPurges(3000, 9, 4000)]).toEqual([
      [],
      ['u'],
    ]);
    await store.removeUpload('u');
    expect([await store.nextUploadPurge(), await store.retireUpload('u', 0)]).toEqual([undefined, false]);
  });

  it('gives no caller more room than it may have, however many files come at once', async () => {
    const store = await openAt(await place());
    const told = await Promise.all(['a', 'b', 'c', 'd'].map((id) => store.reserveUpload(upload(id), bounds)));
    expect(told.filter((full) => full === undefined)).toHaveLength(2);
    expect(told.find((full) => full !== undefined)).toEqual({ bytes: 20, files: 2, roomAt: 9_000_000 });
    expect(await store.reserveUpload(upload('e', { subject: 'bob' }), bounds)).toBeUndefined();
    expect(await store.reserveUpload(upload('f', { bytes: 1 }), { bytes: 99, files: 2 })).toMatchObject({ files: 2 });
  });

  it('keeps an upload until no task needs it, and forgets one that never came to its end', async () => {
    const store = await openAt(await place());
    for (const id of ['used', 'unused']) {
      await store.reserveUpload(upload(id), bounds);
      await store.finishUpload({ id, sha256: 'ab' });
    }
    const claim = await claimOf(store, 'a', { uploads: ['used'] });
    expect(await store.retireUpload('used', 0)).toBe(false);
    expect(await store.claimUploadPurges(9_000_000, 9, 0)).toEqual([]);
    const due = (await store.nextUploadPurge())!;
    expect(due).toBeGreaterThan(9_000_000);
    expect(await store.claimUploadPurges(due, 9, due + 1)).toEqual(['unused']);
    await store.removeUpload('unused');
    expect([await store.nextUploadPurge(), await store.findUpload({ id: 'used' })]).toMatchObject([
      undefined,
      { id: 'used' },
    ]);
    await store.settle(claim, { updatedAt: 1, state: 'submitted' });
    await store.progress('a', { updatedAt: 2, state: 'succeeded' });
    expect(await store.claimUploadPurges(due, 9, due + 1)).toEqual(['used']);
    // Out of use from there on: no task comes in on it.
    expect(await store.add(task('b', { uploads: ['used'] }), 'r1')).toEqual({ outcome: 'upload-gone' });
    expect(await store.find('b')).toBeUndefined();
    await store.reserveUpload(upload('half'), { bytes: 99, files: 9 });
    expect(await store.claimUploadPurges(3_601_000, 9, 4_000_000)).toEqual(['half']);
  });

  it('takes a message once', async () => {
    const store = await openAt(await place());
    expect(await Promise.all([1, 2, 3].map(() => store.acceptWebhook('m', 1000)))).toEqual(
      expect.arrayContaining([true, false, false]),
    );
    expect(await store.acceptWebhook('n', 1000)).toBe(true);
    expect(await store.acceptWebhook('m', 1000)).toBe(false);
  });

  it('tells of changes', async () => {
    const store = await openAt(await place());
    const told: string[] = [];
    const stop = store.onChange((id) => told.push(id));
    await store.settle(await claimOf(store, 'a'), { updatedAt: 1, state: 'submitted' });
    expect(told).toContain('a');
    stop();
  });

  it('is not opened by a program that does not know its version', async () => {
    const where = await place();
    const store = await openAt(where);
    await store.ping();
    await store.close();
    open.pop();
    await addUnknownMigration(where);
    await expect(openAt(where)).rejects.toThrow('cannot be brought to the version of this program');
  });
});

describe('the store on PostgreSQL', () => {
  it('gives each task to one of many replicas, within the limit', async () => {
    const where = await places.PostgreSQL();
    const stores = await Promise.all([1, 2, 3].map(() => openAt(where, { concurrency: 7 })));
    const [store] = stores;
    await Promise.all(stores.map((each, at) => each.heartbeat(`r${at}`, 60_000)));
    await Promise.all(
      Array.from({ length: 40 }, (_, at) => stores[at % 3]!.add(task(`t${at}`, { createdAt: 1000 + at }), 'nobody')),
    );
    expect(await store!.counts()).toEqual({ queued: 33, submitting: 7 });
    const taken = new Map<string, number>();
    for (let round = 0; taken.size < 40; round += 1) {
      expect(round).toBeLessThan(20);
      const claims = await Promise.all(stores.map((each, at) => each.claimSubmissions(`r${at}`, 9000, 9)));
      expect(claims.flat().length).toBeLessThanOrEqual(7);
      for (const claim of claims.flat()) {
        expect([claim.task.id, taken.get(claim.task.id)]).toEqual([claim.task.id, undefined]);
        taken.set(claim.task.id, claim.fence);
        await store!.settle(claim, { updatedAt: 1, state: 'succeeded' });
      }
    }
  });

  it('tells one replica of what another changed', async () => {
    const where = await places.PostgreSQL();
    const [a, b] = [await openAt(where), await openAt(where)];
    const told: string[] = [];
    b.onChange((id) => told.push(id));
    let claim: Claim | undefined = await claimOf(a, 'first');
    await vi.waitFor(async () => {
      // The other end may not listen yet, so there is a change in each round.
      if (claim !== undefined) await a.requeue(claim, { now: 0, blockedUntil: 0 });
      [claim] = await a.claimSubmissions('r1', 9000, 1);
      expect(claim).toBeDefined();
      expect(told.length).toBeGreaterThan(0);
    }, 10_000);
  });
});

it('a file of the first program is brought up to date, and what it was submitting is looked up first', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'store-'));
  const file = new DatabaseSync(join(dataDir, 'tasks.db'));
  file.exec(`
    CREATE TABLE tasks (
      id TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
      request TEXT NOT NULL, payload TEXT,
      upstream_id TEXT, files TEXT NOT NULL DEFAULT '[]', error TEXT, units REAL, poll_at INTEGER,
      idempotency_key TEXT, fingerprint TEXT
    ) STRICT;
    CREATE UNIQUE INDEX tasks_idempotency ON tasks (subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
    INSERT INTO tasks (id, subject, kind, state, created_at, updated_at, request, payload)
    VALUES ('old', 'alice', 'text-to-image', 'submitting', 5, 5, '{}', '{}');
    PRAGMA user_version = 1;`);
  file.close();
  const store = await openAt({ dataDir });
  expect(await store.claimSubmissions('r1', 9000, 9)).toMatchObject([{ task: { id: 'old' }, sent: true, fence: 1 }]);
});

async function addUnknownMigration(where: StorageOptions): Promise<void> {
  const statement = `INSERT INTO kysely_migration (name, timestamp) VALUES ('999_future', '2030-01-01')`;
  if ('dataDir' in where) {
    const file = new DatabaseSync(join(where.dataDir, 'tasks.db'));
    file.exec(statement);
    file.close();
    return;
  }
  const { Client } = await import('pg');
  const client = new Client({ connectionString: where.url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
