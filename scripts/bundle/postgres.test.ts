/** The driver for PostgreSQL asks for an optional part at run time; whether it starts without that, only the bundle shows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startPostgres } from '../../test/postgres/server.ts';
import { bundle } from './bundle.ts';
import { processesNamed } from './processes.ts';

it('a bundle of the API starts on PostgreSQL', { timeout: 300_000 }, async () => {
  const away = await mkdtemp(join(tmpdir(), 'bundle-test-'));
  const postgres = await startPostgres();
  try {
    await Promise.all(processesNamed(['api']).map((api) => bundle(api, join(import.meta.dirname, '../..'), away)));
    const child = spawn(process.execPath, ['main.js'], {
      cwd: away,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...{ HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', AUTH: 'none', DRAIN_SECONDS: '1' },
        ...{ KLING_BASE_URL: 'http://127.0.0.1:1', KLING_API_KEY: 'key' },
        DATABASE_URL: await postgres.createDatabase(),
      },
    });
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told += text;
    });
    try {
      await expect.poll(() => told, { timeout: 20_000 }).toContain('api started');
    } finally {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'close');
    }
  } finally {
    await postgres.stop();
    await rm(away, { recursive: true, force: true });
  }
});
