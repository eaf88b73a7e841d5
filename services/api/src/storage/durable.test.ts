import { expect, it, vi } from 'vitest';
import { storeOn } from './open.ts';
import { openSqlite } from './sqlite.ts';

it('has on disk what a caller is told of, power cut or not', async () => {
  const db = await openSqlite(':memory:');
  const durably = vi.spyOn(db, 'durably');
  const store = storeOn(db, {});
  const writes = async (work: Promise<unknown>) => {
    await work;
    return durably.mock.calls.splice(0).length;
  };
  const upload = { id: 'u1', subject: 'alice', token: 't', type: 'image/png', bytes: 1 } as const;
  const bounds = { bytes: 10, files: 10 };
  expect(await writes(store.reserveUpload({ ...upload, createdAt: 1, expiresAt: 2 }, bounds))).toBe(1);
  expect(await writes(store.finishUpload({ id: 'u1', sha256: 'x' }))).toBe(1);

  const payload = { prompt: 'x', model_name: 'kling-v3', aspect_ratio: '1:1', n: 1 } as const;
  const task = { id: 't1', subject: 'alice', kind: 'text-to-image', createdAt: 1, request: {}, payload } as const;
  const idempotency = { key: 'k', fingerprint: 'f' };
  const added = await store.add({ ...task, pool: 'p', slots: 1, idempotency }, 'r1');
  if (added.outcome !== 'added' || added.claim === undefined) throw new Error('not claimed');
  durably.mockClear();
  const refused = { state: 'failed', updatedAt: 2, error: { code: 'c', message: 'm' }, releaseKey: true } as const;
  expect(await writes(store.settle(added.claim, refused))).toBe(1);
  expect(await store.findByKey('alice', idempotency)).toBeUndefined();
  await store.close();
});
