import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { REQUESTS } from '@klingapi/kling';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from './sqlite-store.ts';
import type { NewTask } from './store.ts';

const newFile = () => join(mkdtempSync(join(tmpdir(), 'store-')), 'tasks.db');
const payload = REQUESTS['text-to-image'].parse({ prompt: 'a fox' });
const task = (id: string, more: Partial<NewTask> = {}): NewTask => ({
  id,
  subject: 'alice',
  kind: 'text-to-image',
  createdAt: 1000,
  request: { prompt: 'a fox' },
  payload,
  ...more,
});

describe('the task store', () => {
  it('has a task, with its whole request, after the file was opened anew without being closed', () => {
    const file = newFile();
    const store = openSqliteStore(file);
    store.add(task('a'));
    const again = openSqliteStore(file);
    expect(again.submitting()).toMatchObject([
      { id: 'a', state: 'submitting', subject: 'alice', files: [], error: null },
    ]);
    expect(again.payload('a')).toEqual(payload);
    store.close();
    again.close();
  });

  it('forgets the whole request once Kling has the task, and keeps what a change leaves out', () => {
    const store = openSqliteStore(newFile());
    store.add(task('a'));
    store.change('a', { updatedAt: 2000, state: 'submitted', upstreamId: 'u', pollAt: 3000 });
    expect(store.payload('a')).toBeUndefined();
    expect(store.submitting()).toEqual([]);
    expect([store.nextDue(), store.due(2999, 9).length, store.due(3000, 9).length]).toEqual([3000, 0, 1]);
    const files = [{ url: 'https://x/0.png' }];
    expect(store.change('a', { updatedAt: 4000, state: 'succeeded', pollAt: null, files, units: 8 })).toMatchObject({
      upstreamId: 'u',
      updatedAt: 4000,
      files,
      units: 8,
    });
    expect([store.nextDue(), store.counts()]).toEqual([undefined, { succeeded: 1 }]);
    store.close();
  });

  it('gives one task for one key of one subject, until the key is let go', () => {
    const store = openSqliteStore(newFile());
    const idempotency = { key: 'k', fingerprint: 'f' };
    expect(store.add(task('a', { idempotency })).outcome).toBe('added');
    expect(store.add(task('b', { idempotency }))).toMatchObject({ outcome: 'known', task: { id: 'a' } });
    expect(store.add(task('c', { idempotency: { key: 'k', fingerprint: 'g' } })).outcome).toBe(
      'key-of-another-request',
    );
    expect(store.add(task('d', { idempotency, subject: 'bob' })).outcome).toBe('added');
    store.change('a', { updatedAt: 1, state: 'failed', releaseKey: true });
    expect(store.add(task('e', { idempotency })).outcome).toBe('added');
    store.close();
  });

  it('does not touch a file of a newer version', () => {
    const file = newFile();
    openSqliteStore(file).close();
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(() => openSqliteStore(file)).toThrow('version 99');
  });
});
