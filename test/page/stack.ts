import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SandboxOptions, startSandbox } from '@klingapi/sandbox';
import { startApiProcess } from '../api-process.ts';

export const KEY = 'a-key-of-somebody';
export const READ_KEY = 'a-key-that-may-only-look';

export interface Stack {
  readonly url: string;
  readonly sandboxUrl: string;
  stop(): Promise<void>;
}

/** The API as a process of its own, with callers, in front of the sandbox. */
export async function startStack(options: Partial<SandboxOptions>): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  const callersDir = await mkdtemp(join(tmpdir(), 'page-callers-'));
  await writeFile(join(callersDir, 'somebody'), KEY);
  await writeFile(join(callersDir, 'reader'), JSON.stringify({ key: READ_KEY, scopes: ['read'] }));
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, ...options });
  const api = await startApiProcess({
    ...{ AUTH: 'callers', CALLERS_DIR: callersDir, DATA_DIR: folder },
    ...{ KLING_BASE_URL: sandbox.url, LOG_LEVEL: 'info' },
  });
  return {
    url: api.url,
    sandboxUrl: sandbox.url,
    async stop() {
      await api.kill();
      await sandbox.close();
      await Promise.all([folder, callersDir].map((each) => rm(each, { recursive: true, force: true })));
    },
  };
}
