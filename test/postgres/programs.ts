import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../cluster/lock.ts';
import { findProgram, installPackages } from '../cluster/packages.ts';
import { steps, toStderr } from '../cluster/progress.ts';

const OLDEST = 15;
/** Where Debian keeps the programs of each version; only clients are on PATH. */
const VERSIONS = '/usr/lib/postgresql';

export interface Programs {
  readonly initdb: string;
  readonly postgres: string;
  readonly createdb: string;
}

/** @throws Error when there is no PostgreSQL and it cannot be installed */
export async function postgresPrograms(): Promise<Programs> {
  const found = await find();
  if (found !== undefined) return found;
  // The version that this Debian has: 15 in Debian 12. Several test files may come here at once, and apt-get takes one at a time.
  await withLock(async () => {
    const program = join(VERSIONS, `${OLDEST}/bin/initdb`);
    await installPackages(steps(toStderr), [{ name: 'postgresql', program }]);
  });
  const installed = await find();
  if (installed === undefined) throw new Error('PostgreSQL was installed, and its programs are not to be found');
  return installed;
}

async function find(): Promise<Programs | undefined> {
  const versions = await readdir(VERSIONS).catch(() => []);
  const newest = Math.max(...versions.map(Number).filter((version) => version >= OLDEST));
  const folder = Number.isFinite(newest) ? join(VERSIONS, String(newest), 'bin') : '';
  const [initdb, postgres, createdb] = await Promise.all(
    ['initdb', 'postgres', 'createdb'].map((name) => findProgram(folder === '' ? name : join(folder, name))),
  );
  if (initdb === undefined || postgres === undefined || createdb === undefined) return undefined;
  return { initdb, postgres, createdb };
}
