import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from './run-command.ts';

/**
 * Runs `work` while no other process makes images in this folder: they share the
 * context and the layers. The kernel holds the lock for a child that ends when
 * its standard input does, so a killed build leaves none behind.
 */
export async function oneAtATime<T>(folder: string, work: () => Promise<T>): Promise<T> {
  if (!(await answers('flock'))) return work();
  await mkdir(folder, { recursive: true });
  const holder = spawn('flock', [join(folder, 'lock'), 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(holder, 'close');
  try {
    holder.stdin.write('locked\n');
    await Promise.race([
      once(holder.stdout, 'data'),
      ended.then(() => Promise.reject(new Error(`${join(folder, 'lock')} cannot be locked`))),
    ]);
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
