/** Programs from Go modules, which say what others make of what is ours. Those of `monitoring/` are built in steps of their own. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { cacheFolder } from '../scripts/images/cache-folder.ts';
import { digestOf } from '../scripts/images/digest.ts';
import { runCommand } from '../scripts/images/run-command.ts';

export interface GoProgram {
  readonly name: string;
  /** Folder of its go.mod. */
  readonly module: string;
  /** As `go build` takes it in that folder. */
  readonly package: string;
  /** What of ours goes into it beside modules, from that folder. */
  readonly sources?: readonly string[];
}

/**
 * Built once (a minute or two), then from the cache.
 *
 * @returns the path of the program
 * @throws CommandError with the words of Go
 */
export async function goProgram({ name, module, package: built, sources = [] }: GoProgram): Promise<string> {
  const digest = await digestOf(module, ['go.mod', 'go.sum', ...sources]);
  const path = cacheFolder(basename(module), `${name}-${digest.slice(0, 16)}`);
  if (await stat(path).catch(() => undefined)) return path;
  await mkdir(dirname(path), { recursive: true });
  // whoever builds at the same time finds a whole program or none
  const unfinished = `${path}.${randomUUID()}`;
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', unfinished, built];
  try {
    await runCommand('go', args, { cwd: module });
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  return path;
}
