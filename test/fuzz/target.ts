import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '@klingapi/sandbox';
import { startApiProcess } from '../api-process.ts';

export interface Target {
  readonly url: string;
  /** A caller that may do everything. */
  readonly key: string;
  /** What the service logged as its own failure, one line each. */
  readonly failures: readonly string[];
  /** Tasks that the sandbox was paid for. */
  charged(): Promise<number>;
  close(): Promise<void>;
}

export interface TargetOptions {
  readonly auth: 'callers' | 'none';
  /** `postgres://…`; without it SQLite in a folder of its own. */
  readonly databaseUrl?: string;
}

const CALLER = { key: 'fuzz-key', scopes: ['read', 'create', 'account'] };
/** pino's `error` and `fatal`. */
const ERROR_LEVEL = /"level":"?(error|fatal|50|60)/;

/** The service as a process of its own, before a sandbox whose tasks end at once. */
export async function startTarget({ auth, databaseUrl }: TargetOptions): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
  const callers = await mkdtemp(join(tmpdir(), 'fuzz-callers-'));
  await writeFile(join(callers, 'fuzzer'), JSON.stringify(CALLER));
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  const failures: string[] = [];
  const api = await startApiProcess(
    {
      AUTH: auth,
      CALLERS_DIR: callers,
      INTERNAL_KEY: 'fuzz-internal-key-of-32-bytes-or-more',
      KLING_BASE_URL: sandbox.url,
      ...(databaseUrl === undefined ? { DATA_DIR: folder } : { DATABASE_URL: databaseUrl }),
    },
    (line) => {
      if (ERROR_LEVEL.test(line)) failures.push(line);
    },
  );
  return {
    url: api.url,
    key: CALLER.key,
    failures,
    async charged() {
      const told: { tasks: number } = JSON.parse(await (await fetch(`${sandbox.url}/sandbox/charges`)).text());
      return told.tasks;
    },
    async close() {
      await api.kill();
      await sandbox.close();
      await Promise.all([folder, callers].map((path) => rm(path, { recursive: true, force: true })));
    },
  };
}
