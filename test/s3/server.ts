import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from '../cluster/command.ts';
import { withLock } from '../cluster/lock.ts';
import { steps, toStderr } from '../cluster/progress.ts';
import { cacheDir } from '../cluster/settings.ts';
import { freePort } from '../postgres/free-port.ts';

export interface S3 {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** An empty bucket. @returns its name */
  createBucket(): Promise<string>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 30_000;
const PROGRAM = 'github.com/versity/versitygw/cmd/versitygw';

/** @throws Error when the server cannot be built or does not start */
export async function startS3(): Promise<S3> {
  const program = await gateway();
  const folder = await mkdtemp(join(tmpdir(), 's3-'));
  const [buckets, metadata] = [join(folder, 'buckets'), join(folder, 'metadata')];
  await Promise.all([mkdir(buckets), mkdir(metadata)]);
  const port = await freePort();
  const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
  const server = spawn(program, ['--port', `${HOST}:${port}`, '--quiet', 'posix', '--sidecar', metadata, buckets], {
    env: { ...process.env, ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const killed = (): void => void server.kill('SIGKILL');
  process.once('exit', killed);
  const stop = async (): Promise<void> => {
    process.off('exit', killed);
    if (server.exitCode === null && server.signalCode === null) {
      const gone = once(server, 'close');
      server.kill('SIGKILL');
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://${HOST}:${port}`;
  const end = performance.now() + READY_WITHIN_MS;
  // Who is not signed is refused, by a server that works.
  while ((await fetch(endpoint).catch(() => undefined))?.status !== 403) {
    if (server.exitCode !== null || performance.now() > end) {
      await stop();
      throw new Error(`the S3 server did not start:\n${said}`);
    }
    await pause(50);
  }
  return {
    ...keys,
    endpoint,
    region: 'us-east-1',
    async createBucket() {
      const name = `bucket-${randomBytes(6).toString('hex')}`;
      await mkdir(join(buckets, name));
      return name;
    },
    stop,
  };
}

/** Built once for each version, and kept with the other programs of the tests. */
async function gateway(): Promise<string> {
  const source = import.meta.dirname;
  const hash = createHash('sha256').update(process.arch);
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(source, file)));
  const path = join(cacheDir, `versitygw-${hash.digest('hex').slice(0, 16)}`);
  const isThere = () =>
    access(path).then(
      () => true,
      () => false,
    );
  if (await isThere()) return path;
  await withLock(async () => {
    if (await isThere()) return;
    await mkdir(cacheDir, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    const args = [
      'build',
      '-trimpath',
      '-buildvcs=false',
      '-mod=readonly',
      '-ldflags',
      '-s -w',
      '-o',
      unfinished,
      PROGRAM,
    ];
    await steps(toStderr)('Building an S3 server from Go sources (a minute or two, once)', async () => {
      await run('go', args, { cwd: source, env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' } });
      await rename(unfinished, path);
    });
  });
  return path;
}
