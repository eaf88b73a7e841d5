/** Programs of this folder, with the objects that they judge on standard input and their answers on standard output. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { runCommand } from '../../scripts/images/run-command.ts';

const HERE = import.meta.dirname;

/**
 * Built once (a minute or two, from Go modules), then from the cache.
 * @param folder of its sources, from here
 */
export async function ask(name: string, folder: string, args: readonly string[], objects: unknown): Promise<unknown> {
  const digest = await digestOf(HERE, ['go.mod', 'go.sum', join(folder, 'main.go')]);
  const path = cacheFolder('gitops', `${name}-${digest.slice(0, 16)}`);
  await mkdir(cacheFolder('gitops'), { recursive: true });
  await runCommand('go', ['build', '-trimpath', '-buildvcs=false', '-o', path, `./${folder}`], { cwd: HERE });
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(objects));
  return json(child.stdout);
}
