import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { oneAtATime } from '../../scripts/images/one-at-a-time.ts';
import { runCommand } from '../../scripts/images/run-command.ts';
import { findPython, type Interpreter, installPackages } from '../images/python-root.ts';
import { type Maker, startProcess } from './maker.ts';

const ROOT = join(import.meta.dirname, '../..');
const OLD = 'test/images/python/requirements.txt';
const NEWEST = 'test/makers/python/newest.txt';
const ANYIO = 'test/makers/python/anyio-4.16.txt';

/** Packages of each server; of two files that pin the same package the first counts. */
const PACKAGES = {
  'fastmcp-2.5.1': [OLD],
  /** What an installation without pins gets today: there a DELETE ends the session manager. */
  'fastmcp-2.5.1-anyio-4.16': [ANYIO, OLD],
  fastmcp: [NEWEST],
  mcp: [NEWEST],
} as const;
export type PythonServer = keyof typeof PACKAGES;

export async function startPython(name: PythonServer, stateless: boolean): Promise<Maker> {
  const python = await findPython();
  const folders: string[] = [];
  for (const requirements of PACKAGES[name]) folders.push(await installed(python, requirements));
  return await startProcess(python.executable, [join(import.meta.dirname, 'python/server.py')], {
    PYTHONPATH: folders.join(':'),
    PYTHONDONTWRITEBYTECODE: '1',
    MAKER: name.startsWith('fastmcp-2.5.1') ? 'fastmcp-2.5.1' : name,
    STATELESS: stateless ? '1' : '0',
  });
}

/** @returns what `python/client.py` printed */
export async function runPythonClient(args: readonly string[]): Promise<string> {
  const { executable, env } = await pythonPackages(NEWEST);
  const program = join(import.meta.dirname, 'python/client.py');
  return await runCommand(executable, [program, ...args], { env: { ...process.env, ...env } });
}

/** A Python and the environment in which it finds the packages that a file pins. */
export async function pythonPackages(requirements: string) {
  const python = await findPython();
  const env = { PYTHONPATH: await installed(python, requirements), PYTHONDONTWRITEBYTECODE: '1' };
  return { executable: python.executable, env };
}

/** The folder with the packages of a file, from the cache or installed now. */
async function installed(python: Interpreter, requirements: string): Promise<string> {
  const digest = await digestOf(ROOT, [requirements], [python.version]);
  const base = cacheFolder('makers');
  const folder = join(base, `python-${digest.slice(0, 16)}`);
  return await oneAtATime(base, async () => {
    if (await stat(folder).catch(() => null)) return folder;
    const making = `${folder}.making`;
    await rm(making, { recursive: true, force: true });
    await installPackages(python, join(ROOT, requirements), making);
    await rename(making, folder);
    return folder;
  });
}
