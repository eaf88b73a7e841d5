import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnvironment } from '@klingapi/management';
import { describe, expect, it } from 'vitest';
import { environmentSchema, FILE_VARIABLES, resultStoreOf, storageOf } from './environment.ts';
import { addressOf } from './results/s3-store.ts';

const base = { KLING_BASE_URL: 'http://kling', KLING_API_KEY: 'k', AUTH: 'none', DATA_DIR: '/data' };
const parse = (env: Record<string, string>) =>
  parseEnvironment(environmentSchema, { ...base, ...env }, { files: FILE_VARIABLES });
const valid = (env: Record<string, string>) => {
  const parsed = parse(env);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.value;
};
const problems = (env: Record<string, string>) => {
  const parsed = parse(env);
  return parsed.ok ? [] : parsed.problems;
};
const bucket = {
  RESULTS_S3_ENDPOINT: 'http://minio:9000',
  RESULTS_S3_BUCKET: 'studio-results',
  RESULTS_S3_ACCESS_KEY_ID: 'id',
  RESULTS_S3_SECRET_ACCESS_KEY: 'secret',
};

describe('the environment', () => {
  it('names a database, also by a file, or a folder; the database goes first', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'env-')), 'url');
    writeFileSync(file, 'postgres://u:p@db:5432/kling?sslmode=require\n');
    expect(storageOf(valid({}))).toEqual({ dataDir: '/data' });
    expect(storageOf(valid({ DATABASE_URL_FILE: file }))).toEqual({
      url: 'postgres://u:p@db:5432/kling?sslmode=require',
    });
    expect(problems({ DATA_DIR: '' })).toEqual([
      'DATA_DIR: needed, or DATABASE_URL (also as DATABASE_URL_FILE) for PostgreSQL',
    ]);
    expect(problems({ DATABASE_URL: 'mysql://u:secret@db/kling' })).toEqual(['DATABASE_URL: must be postgres://…']);
  });

  it('keeps results in the folder, in a bucket, or nowhere', () => {
    expect(resultStoreOf(valid({}))).toBeDefined();
    expect(resultStoreOf(valid({ DATABASE_URL: 'postgres://db/kling' }))).toBeUndefined();
    expect(resultStoreOf(valid({ DATABASE_URL: 'postgres://db/kling', ...bucket }))).toBeDefined();
    const { RESULTS_S3_SECRET_ACCESS_KEY: _, ...half } = bucket;
    expect(problems(half)).toEqual([expect.stringContaining('belongs together with RESULTS_S3_BUCKET')]);
    expect(valid({ ...bucket, RESULTS_S3_FORCE_PATH_STYLE: 'true' }).RESULTS_S3_FORCE_PATH_STYLE).toBe(true);
  });

  it('tells a wrong value without repeating it', () => {
    const told = problems({ WEBHOOK_SECRET: 'hush!', PUBLIC_URL: 'ftp://x', KLING_CONCURRENCY: '0' });
    expect(told.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'KLING_CONCURRENCY',
      'PUBLIC_URL',
      'WEBHOOK_SECRET',
    ]);
    expect(told.join()).not.toContain('hush!');
  });

  it('keeps uploads for a week, a gigabyte of each caller', () => {
    expect(valid({})).toMatchObject({ UPLOADS_RETENTION_DAYS: 7, UPLOADS_MAX_BYTES_PER_CALLER: 1024 ** 3 });
    expect(problems({ UPLOADS_RETENTION_DAYS: '0', UPLOADS_MAX_BYTES_PER_CALLER: '10' })).toHaveLength(2);
  });
});

it('an object of a bucket has its address by path or by host', () => {
  const s3 = { endpoint: 'https://s3.example:9000/base/', bucket: 'b' };
  expect(addressOf({ ...s3, forcePathStyle: true }, 'p/t/0')).toBe('https://s3.example:9000/base/b/p/t/0');
  expect(addressOf({ ...s3, forcePathStyle: false }, 'p/t/0')).toBe('https://b.s3.example:9000/base/p/t/0');
});
