import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { createFolderStore } from './folder-store.ts';
import { ResultStoreFullError } from './result-store.ts';

const key = { taskId: 'upload-1', index: 0 };
const content = async function* () {
  yield Buffer.alloc(1_000_000);
};
const file = () => ({ content: content(), bytes: 1_000_000, type: 'video/mp4' });
const never = new AbortController().signal;

it('ends a read that nobody takes when its time is over', async () => {
  const store = createFolderStore(mkdtempSync(join(tmpdir(), 'results-')));
  await store.write(key, file(), never);
  const over = new AbortController();
  const stream = await store.get(key, undefined, over.signal);
  if (stream === undefined) throw new Error('not there');
  const end = finished(stream).catch((error: unknown) => error);
  over.abort();
  expect(await end).toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
  expect(stream.destroyed).toBe(true);
});

it('removes with a file what a killed process left of it, and nothing of others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  const place = join(folder, 'up', key.taskId);
  mkdirSync(place, { recursive: true });
  for (const name of ['0.17.part', '1', '1.17.part']) writeFileSync(join(place, name), 'x');
  await createFolderStore(folder).remove(key);
  expect(readdirSync(place)).toEqual(['1', '1.17.part']);
  await createFolderStore(folder).remove({ ...key, index: 1 });
  expect(readdirSync(join(folder, 'up'))).toEqual([]);
});

it.runIf(process.platform === 'linux')('says that it is full when the disk is full halfway', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  const place = join(folder, 'up', key.taskId);
  mkdirSync(place, { recursive: true });
  symlinkSync('/dev/full', join(place, `0.${process.pid}.part`));
  await expect(createFolderStore(folder).write(key, file(), never)).rejects.toThrow(ResultStoreFullError);
  expect(readdirSync(join(folder, 'up'))).toEqual([]);
});
