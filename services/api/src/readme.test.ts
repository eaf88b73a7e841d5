/** What the README shows with curl, typed as it stands. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '@klingapi/sandbox';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startApiProcess } from '../../../test/api-process.ts';
import { scriptOf } from '../../../test/docs/script.ts';
import { typeIn } from '../../../test/docs/shell.ts';
import type { ServiceProcess } from '../../../test/service-process.ts';
import { taskReplySchema } from './index.ts';
import { uploadReplySchema } from './uploads/upload.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
const KEY = 'alice-key';
const script = await scriptOf('services/api/README.md');

let folder: string;
let sandbox: Sandbox;
let api: ServiceProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
  await writeFile(join(folder, 'cat.png'), PNG.sync.write(new PNG({ width: 640, height: 360 })));
  sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  api = await startApiProcess({ KLING_BASE_URL: sandbox.url, DATA_DIR: join(folder, 'data') });
});
afterAll(async () => {
  await api?.kill();
  await sandbox?.close();
  await rm(folder, { recursive: true, force: true });
});

it('a file of mine is sent, and named in the next request', async () => {
  const type = async (beginning: string, id = ''): Promise<unknown> => {
    const adapt = (command: string) =>
      command.replaceAll('https://kling.example.com', api.url).replace('upload:0d9c…', `upload:${id}`);
    const { stdout } = await typeIn([script.command(beginning)], { adapt, cwd: folder, env: { KEY } });
    return JSON.parse(stdout);
  };
  const upload = uploadReplySchema.parse(await type('curl -sS -T cat.png'));
  // what the page shows of the answer
  const shown = /^# (\{.*), …\}$/.exec(script.command('# {"id"'))?.[1] ?? '';
  expect(Object.keys(upload)).toEqual(
    expect.arrayContaining(Object.keys(z.looseObject({}).parse(JSON.parse(`${shown}}`)))),
  );
  expect(upload).toMatchObject({ type: 'image/png', width: 640 });
  const task = taskReplySchema.parse(await type('curl -sS -H "Authorization', upload.id));
  expect(task.kind).toBe('image-to-video');
});
