import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const holderSchema = z.object({ hostname: z.string(), pid: z.number(), since: z.string() });

/** Another process works on the folder. */
export class DataLockedError extends Error {
  override readonly name = 'DataLockedError';
  readonly code = 'data_locked';
}

/**
 * Takes the folder for this process alone; two pollers and two submitters on one
 * file would each think that they know what was paid.
 *
 * Node has no flock, so this is an open write transaction on a database of its
 * own: the system lets its lock go when the process dies, however it dies.
 *
 * @returns lets the folder go
 * @throws DataLockedError that names the holder
 */
export function lockDataDir(dir: string): () => void {
  const database = new DatabaseSync(join(dir, 'lock.db'));
  const holderFile = join(dir, 'lock.json');
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE;');
  } catch (cause) {
    database.close();
    if (!isBusy(cause)) throw cause;
    throw new DataLockedError(`the folder ${dir} is in use by ${describeHolder(holderFile)}`, { cause });
  }
  const holder: z.infer<typeof holderSchema> = {
    hostname: hostname(),
    pid: process.pid,
    since: new Date().toISOString(),
  };
  writeFileSync(holderFile, JSON.stringify(holder));
  return () => database.close();
}

function isBusy(error: unknown): boolean {
  // SQLITE_BUSY; the extended code keeps it in its low byte.
  return (
    error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 5
  );
}

function describeHolder(file: string): string {
  try {
    const holder = holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return `process ${holder.pid} on ${holder.hostname} since ${holder.since}`;
  } catch {
    return 'another process';
  }
}
