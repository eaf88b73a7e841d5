import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './settings.ts';

/**
 * Runs `work` while no other process on this machine changes the cluster. The
 * lock is the kernel's (flock), held by a child that ends when this process
 * does, however it ends: it can never be left behind.
 */
export async function withLock<T>(work: () => Promise<T>, onWait: () => void = () => {}): Promise<T> {
  await mkdir(cacheDir, { recursive: true });
  const holder = spawn('flock', [join(cacheDir, 'cluster.lock'), 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = setTimeout(onWait, 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.on('error', reject);
      holder.on('exit', (code) => reject(new Error(`flock ended with code ${code} before it gave the lock`)));
      holder.stdout.once('data', () => resolve());
      holder.stdin.write('mine\n');
    });
    clearTimeout(waiting);
    return await work();
  } finally {
    clearTimeout(waiting);
    const ended = new Promise((resolve) => holder.once('close', resolve));
    holder.stdin.end();
    if (holder.exitCode === null && holder.signalCode === null && holder.pid !== undefined) await ended;
  }
}
