import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceProcess, startServiceProcess } from '../../service-process.ts';
import { FLAGS } from '../flags.ts';

const ROOT = join(import.meta.dirname, '../../..');
const API_MAIN = join(ROOT, 'services/api/dist/main.js');
const SANDBOX_MAIN = join(ROOT, 'services/sandbox/dist/main.js');

/** What the API processes under measurement take as a caller's key. */
export const KEY = 'a-key-for-measurements';
export const JSON_HEADERS = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

export interface ApiUnderTest extends Pick<ServiceProcess, 'url' | 'managementUrl' | 'memory' | 'kill'> {
  /** Ends it, lets something be done to its folder, and starts it again. */
  restart(change: (dataDir: string) => Promise<void>): Promise<void>;
}

/** The API as in production: a folder of its own with SQLite, one caller, log level info. */
export async function startApi(sandboxUrl: string, cpu: number | undefined): Promise<ApiUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-api-'));
  const dataDir = join(folder, 'data');
  const callersDir = join(folder, 'callers');
  await mkdir(dataDir);
  await mkdir(callersDir);
  await writeFile(join(callersDir, 'bench'), KEY);
  const env = {
    ...{ KLING_BASE_URL: sandboxUrl, KLING_API_KEY: 'key', DATA_DIR: dataDir },
    ...{ AUTH: 'callers', CALLERS_DIR: callersDir },
  };
  const start = () => startServiceProcess(API_MAIN, { env, cpu, flags: FLAGS });
  let service = await start();
  return {
    get url() {
      return service.url;
    },
    get managementUrl() {
      return service.managementUrl;
    },
    memory: () => service.memory(),
    async restart(change) {
      await service.kill();
      await change(dataDir);
      service = await start();
    },
    async kill() {
      await service.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function startSandbox(taskSeconds: number): Promise<ServiceProcess> {
  return startServiceProcess(SANDBOX_MAIN, { env: { SANDBOX_TASK_SECONDS: String(taskSeconds) }, flags: FLAGS });
}
