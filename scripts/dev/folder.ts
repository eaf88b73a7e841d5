/** The folder that the processes of `npm run dev` keep between runs: tasks, keys. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface DevFolder {
  readonly dataDir: string;
  readonly callersDir: string;
  readonly internalKeyFile: string;
  /** What clients send as a bearer token. */
  readonly callerKey: string;
}

/** Makes what is missing; keys stay what they were, so that clients keep working. */
export async function openFolder(folder: string): Promise<DevFolder> {
  const [dataDir, callersDir, internalKeyFile] = [
    join(folder, 'data'),
    join(folder, 'callers'),
    join(folder, 'internal-key'),
  ];
  await mkdir(dataDir, { recursive: true });
  await keyIn(internalKeyFile);
  return { dataDir, callersDir, internalKeyFile, callerKey: await keyIn(join(callersDir, 'default')) };
}

async function keyIn(path: string): Promise<string> {
  const present = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (present !== '') return present;
  const key = randomBytes(32).toString('base64url');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${key}\n`, { mode: 0o600 });
  return key;
}
