import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';

// Read when the modules load, so that nothing here touches a real cluster.
const folder = mkdtempSync(join(tmpdir(), 'kling-state-'));
vi.stubEnv('KLING_CLUSTER_DIR', folder);
vi.stubEnv('XDG_CACHE_HOME', folder);
const { daemonPid, daemonRuns, diedCheck, restartDaemon, startDaemon, stopDaemon } = await import(
  '../../cluster/daemons.ts'
);
const { withLock } = await import('../../cluster/lock.ts');
const { ourMounts } = await import('../../cluster/mounts.ts');
const { checkStateFolder, removeStateFolder } = await import('../../cluster/state-folder.ts');
const { waitFor } = await import('../../cluster/wait.ts');

afterAll(async () => {
  await stopDaemon('etcd');
  rmSync(folder, { recursive: true, force: true });
});

const sleeper = [process.execPath, '-e', 'setTimeout(() => {}, 60_000)'];
const pidFile = join(folder, 'pids', 'etcd.json');

// The node runs on Linux only, and so does what looks into /proc or uses flock.
describe.runIf(process.platform === 'linux')('a part of the cluster', () => {
  it('starts, is known by its file, restarts with the same command, and stops', async () => {
    startDaemon('etcd', sleeper);
    const first = daemonPid('etcd');
    expect(readFileSync(`/proc/${first}/cmdline`, 'utf8')).toContain('setTimeout');
    await restartDaemon('etcd');
    expect(daemonPid('etcd')).not.toBe(first);
    await stopDaemon('etcd');
    expect(daemonRuns('etcd')).toBe(false);
    expect(() => daemonPid('etcd')).toThrow('etcd does not run');
  });

  it.each([
    ['started at another time', { startTime: '1' }],
    ['started before this boot', { bootId: 'another' }],
  ])('is not mistaken for a process that has its pid but %s', async (_, difference) => {
    const bystander = spawn(process.execPath, sleeper.slice(1), { stdio: 'ignore' });
    try {
      startDaemon('etcd', sleeper);
      await stopDaemon('etcd');
      const { identify } = await import('../../cluster/proc.ts');
      const real = identify(bystander.pid ?? 0);
      writeFileSync(pidFile, JSON.stringify({ ...real, ...difference, command: sleeper }));
      expect(daemonRuns('etcd')).toBe(false);
      await stopDaemon('etcd');
      expect(identify(bystander.pid ?? 0)).toEqual(real);
      // The same file without the difference names it: the check above can fail.
      writeFileSync(pidFile, JSON.stringify({ ...real, command: sleeper }));
      expect(daemonRuns('etcd')).toBe(true);
    } finally {
      bystander.kill('SIGKILL');
      await once(bystander, 'exit');
    }
  });

  it('counts half a file as no file', () => {
    writeFileSync(pidFile, '{"pid": 1');
    expect(daemonRuns('etcd')).toBe(false);
  });

  it('that dies is told with what it said last', async () => {
    const start = async () => {
      startDaemon('etcd', ['/bin/sh', '-c', 'echo the disk is full; exit 3']);
      await waitFor('etcd', () => undefined, 10_000, diedCheck('etcd'));
    };
    await expect(start).rejects.toThrow(/etcd (did not start|ended by itself)[\s\S]*the disk is full/);
  });
});

describe.runIf(process.platform === 'linux')('the lock', () => {
  it('lets one in at a time, and the next in after a failure', async () => {
    const inside: string[] = [];
    const visit = (name: string, fails: boolean) =>
      withLock(async () => {
        inside.push(`${name} in`);
        await new Promise((resolve) => setImmediate(resolve));
        inside.push(`${name} out`);
        if (fails) throw new Error('failed inside');
      });
    const results = await Promise.allSettled([visit('a', true), visit('b', true), visit('c', false)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    for (let i = 0; i < inside.length; i += 2) expect(inside[i + 1]).toBe(inside[i]?.replace(' in', ' out'));
    expect(inside).toHaveLength(6);
  });

  it('is free again when its holder is killed', async () => {
    const lock = join(import.meta.dirname, '../../cluster/lock.ts');
    const script = `import { withLock } from ${JSON.stringify(lock)};
      await withLock(async () => { console.log('inside'); await new Promise((r) => setTimeout(r, 60_000)); });`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { env: process.env });
    await once(holder.stdout, 'data');
    let entered = false;
    const mine = withLock(async () => {
      entered = true;
    });
    expect(entered).toBe(false);
    holder.kill('SIGKILL');
    await mine;
    expect(entered).toBe(true);
  });
});

describe('a folder that holds other things', () => {
  it('is neither used nor removed', async () => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'data');
    expect(checkStateFolder).toThrow('KLING_CLUSTER_DIR');
    await expect(removeStateFolder()).rejects.toThrow('KLING_CLUSTER_DIR');
    expect(readFileSync(precious, 'utf8')).toBe('data');
  });
});

describe('mounts', () => {
  it('are found below the folder only, the newest first, with blanks in their names', () => {
    const line = (point: string) => `36 35 98:0 /mnt1 ${point} rw,noatime master:1 - ext3 /dev/root rw`;
    const info = [`${folder}/a`, `${folder}-other/x`, '/proc', `${folder}/a/b\\040c`].map(line).join('\n');
    expect(ourMounts(info)).toEqual([`${folder}/a/b c`, `${folder}/a`]);
  });
});
