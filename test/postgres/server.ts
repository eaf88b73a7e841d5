import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { run } from '../cluster/command.ts';
import { freePort } from './free-port.ts';
import { type Programs, postgresPrograms } from './programs.ts';

export interface Postgres {
  /** An empty database of its own. @returns its address, `postgres://…` */
  createDatabase(): Promise<string>;
  /** As after a crash; nobody answers until `resume`. */
  crash(): Promise<void>;
  /** On the same port, with the same data. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Address to listen on: loopback, or the node's own, which pods reach. */
  readonly host: string;
  /** Who may connect from elsewhere than loopback, as a range of addresses. */
  readonly clients?: string;
}

const LOOPBACK: PostgresOptions = { host: '127.0.0.1' };
const USER = 'klingapi';
const READY_WITHIN_MS = 30_000;
const STOPPED_WITHIN_MS = 10_000;
const TRIES = 5;

/** @throws Error when PostgreSQL cannot be had, or does not start */
export async function startPostgres(options = LOOPBACK): Promise<Postgres> {
  const programs = await postgresPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const user = await ordinaryUser(folder);
  const data = join(folder, 'data');
  await run(programs.initdb, ['-D', data, '-U', USER, '--auth=trust', '-E', 'UTF8', '--locale=C', '--no-sync'], {
    ...user,
    cwd: folder,
  });
  if (options.clients !== undefined)
    await appendFile(join(data, 'pg_hba.conf'), `host all ${USER} ${options.clients} trust\n`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await serve(programs, folder, data, user, options.host);
    } catch (error) {
      // Somebody may have taken the port meanwhile.
      if (attempt < TRIES) continue;
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

type User = { readonly uid?: number; readonly gid?: number };

/** PostgreSQL refuses to run as root. */
async function ordinaryUser(folder: string): Promise<User> {
  if (process.getuid?.() !== 0) return {};
  const nobody = { uid: 65534, gid: 65534 };
  await chown(folder, nobody.uid, nobody.gid);
  return nobody;
}

async function serve(programs: Programs, folder: string, data: string, user: User, host: string): Promise<Postgres> {
  const port = await freePort();
  const createDatabase = async (): Promise<string> => {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await run(programs.createdb, ['-h', host, '-p', String(port), '-U', USER, name], { timeoutMs: 30_000 });
    return `postgres://${USER}@${host}:${port}/${name}`;
  };
  const begin = () => ready(launch(programs.postgres, folder, data, port, user, host), createDatabase);
  let server = await begin();
  const killed = (): void => void server.kill('SIGQUIT');
  process.once('exit', killed);
  return {
    createDatabase,
    crash: () => stop(server, 'SIGQUIT'),
    async resume() {
      server = await begin();
    },
    async stop() {
      process.off('exit', killed);
      await stop(server, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function launch(program: string, folder: string, data: string, port: number, user: User, host: string): ChildProcess {
  const settings = {
    listen_addresses: host,
    unix_socket_directories: folder,
    max_connections: '200',
    // No test cuts the power.
    fsync: 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return spawn(program, ['-D', data, '-p', String(port), ...flags], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

async function ready(server: ChildProcess, createDatabase: () => Promise<string>): Promise<ChildProcess> {
  let said = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const end = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const isReady = await createDatabase().then(
      () => true,
      () => false,
    );
    if (isReady && server.exitCode === null) return server;
    if (server.exitCode !== null || performance.now() > end) {
      await stop(server, 'SIGKILL');
      throw new Error(`PostgreSQL did not start:\n${said}`);
    }
    await pause(50);
  }
}

/** @param signal SIGINT ends connections instead of waiting for them, SIGQUIT ends everything as a crash would */
async function stop(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'close');
  server.kill(signal);
  const overdue = setTimeout(() => server.kill('SIGKILL'), STOPPED_WITHIN_MS);
  await gone;
  clearTimeout(overdue);
}
