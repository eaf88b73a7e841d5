import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type S3, startS3 } from '../../../../test/s3/server.ts';
import { createFolderStore } from './folder-store.ts';
import { type ByteRange, type ResultKey, type ResultStore, ResultStoreError, type StoredFile } from './result-store.ts';
import { createS3Store, type S3Options } from './s3-store.ts';

// The server is built once, from source.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 900_000 });

let s3: S3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const folder = () => mkdtempSync(join(tmpdir(), 'results-'));
const bucket = async (more: Partial<S3Options> = {}): Promise<ResultStore> =>
  createS3Store({ ...s3, bucket: await s3.createBucket(), prefix: 'studio/', forcePathStyle: true, ...more });

function fileOf(bytes: Buffer): StoredFile {
  const path = join(folder(), 'bytes');
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, bytes: bytes.length, sha256, type: 'image/png' };
}
async function read(store: ResultStore, key: ResultKey, range?: ByteRange): Promise<Buffer | undefined> {
  const stream = await store.get(key, range, AbortSignal.timeout(10_000));
  return stream === undefined ? undefined : await buffer(stream);
}

describe.each([
  ['a folder', async () => createFolderStore(folder())],
  ['a bucket', bucket],
])('results in %s', (_name, open) => {
  it('are given back as they were put, whole and in part', async () => {
    const store = await open();
    const bytes = randomBytes(3_000_000);
    const key = { taskId: '7f0c-1', index: 3 };
    await store.put(key, fileOf(bytes));
    expect((await read(store, key))?.equals(bytes)).toBe(true);
    expect((await read(store, key, { first: 0, last: 0 }))?.equals(bytes.subarray(0, 1))).toBe(true);
    expect((await read(store, key, { first: 2_999_990, last: 2_999_999 }))?.equals(bytes.subarray(-10))).toBe(true);
    await store.close();
  });

  it('can be put again, and are gone when removed, also twice', async () => {
    const store = await open();
    const [a, b] = [
      { taskId: 't', index: 0 },
      { taskId: 't', index: 1 },
    ];
    await store.put(a, fileOf(Buffer.from('first')));
    await store.put(a, fileOf(Buffer.from('second')));
    await store.put(b, fileOf(Buffer.from('other')));
    expect(String(await read(store, a))).toBe('second');
    await store.remove(a);
    await store.remove(a);
    expect(await read(store, a)).toBeUndefined();
    expect(String(await read(store, b))).toBe('other');
    expect(await read(store, { taskId: 'unknown', index: 0 })).toBeUndefined();
    await store.close();
  });

  it('are there when they came as a stream to its end, and can be removed when it broke', async () => {
    const store = await open();
    const key = { taskId: 'upload-1', index: 0 };
    const chunks = [randomBytes(1_000_000), randomBytes(500_000)];
    const incoming = (broken: boolean) => ({
      content: (async function* () {
        yield chunks[0]!;
        if (broken) throw new Error('the sender is gone');
        yield chunks[1]!;
      })(),
      bytes: 1_500_000,
      type: 'video/mp4',
    });
    const signal = AbortSignal.timeout(20_000);
    await expect(store.write(key, incoming(true), signal)).rejects.toThrow('the sender is gone');
    await vi.waitFor(
      async () => {
        await store.remove(key);
        expect(await read(store, key)).toBeUndefined();
      },
      { timeout: 10_000 },
    );
    await store.write(key, incoming(false), signal);
    expect((await read(store, key))?.equals(Buffer.concat(chunks))).toBe(true);
    await store.close();
  });

  it('have no way out of their place', async () => {
    const store = await open();
    await expect(store.put({ taskId: '../../etc', index: 0 }, fileOf(Buffer.from('x')))).rejects.toThrow('cannot be');
    await expect(read(store, { taskId: 'a/b', index: 0 })).rejects.toThrow('cannot be');
    await store.close();
  });
});

it('a folder holds nothing unfinished after a copy that failed', async () => {
  const place = folder();
  const store = createFolderStore(place);
  const missing = { ...fileOf(Buffer.from('x')), path: '/nowhere' };
  await expect(store.put({ taskId: 'task', index: 0 }, missing)).rejects.toThrow();
  expect(await readdir(join(place, 'ta/task'))).toEqual([]);
});

describe('a bucket', () => {
  const file = () => fileOf(Buffer.from('x'));
  const key = { taskId: 't', index: 0 };

  it('that refuses the key, or is not there, is told as such, without the key', async () => {
    const wrong = await bucket({ secretAccessKey: 'wrong-secret' });
    const refused = await wrong.put(key, file()).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ResultStoreError);
    expect(String(refused)).toContain('HTTP 403 SignatureDoesNotMatch');
    expect(String(refused)).not.toContain('wrong-secret');
    const streamed = { content: (async function* () {})(), bytes: 0, type: 'video/mp4' };
    await expect(wrong.write(key, streamed, AbortSignal.timeout(10_000))).rejects.toThrow('HTTP 403');
    await expect((await bucket({ bucket: 'not-there' })).put(key, file())).rejects.toThrow('no such bucket');
    await expect((await bucket({ endpoint: 'http://127.0.0.1:1' })).put(key, file())).rejects.toThrow('be reached');
  });

  it('refuses bytes that changed on their way', async () => {
    const store = await bucket();
    const changed = { ...file(), sha256: createHash('sha256').update('y').digest('hex') };
    await expect(store.put(key, changed)).rejects.toThrow(ResultStoreError);
    expect(await read(store, key)).toBeUndefined();
  });

  it('shares nothing with what lies under another prefix', async () => {
    const name = await s3.createBucket();
    const [a, b] = [await bucket({ bucket: name, prefix: 'a/' }), await bucket({ bucket: name, prefix: 'b/' })];
    await a.put(key, file());
    expect(await read(b, key)).toBeUndefined();
  });
});
