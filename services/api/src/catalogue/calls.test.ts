import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { type Fault, startSandbox } from '@klingapi/sandbox';
import { afterEach, expect, it, vi } from 'vitest';
import { startApi } from '../index.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

async function start(faults: (Fault | undefined)[] = []) {
  const seen = { posts: 0 };
  const sandbox = await startSandbox({
    ...{ host: '127.0.0.1', port: 0, taskSeconds: 0.05 },
    fault: (method) => {
      if (method !== 'POST') return undefined;
      seen.posts += 1;
      return faults.shift();
    },
  });
  closing.push(sandbox);
  const callersDir = mkdtempSync(join(tmpdir(), 'callers-'));
  writeFileSync(join(callersDir, 'alice'), JSON.stringify({ key: 'alice-key', limits: { unitsPerDay: 0.1 } }));
  const registry = createRegistry('api');
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' }, timeoutMs: 500, sleep: async () => {} },
    authentication: { auth: 'callers', callersDir },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry,
  });
  closing.push(api);
  const call = async (path: string, body?: unknown) => {
    const reply = await fetch(api.url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: 'Bearer alice-key', 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, headers: reply.headers, body: JSON.parse(await reply.text()) };
  };
  return { call, seen, registry };
}
const speech = { text: 'hello', voice_id: 'oversea_male1', voice_language: 'en' };

it('paid calls count against the limit before they are made, by either door, and are told as usage', async () => {
  const { call, seen, registry } = await start();
  expect((await call('/api/audio/speech', speech)).status).toBe(200);
  expect((await call('/v1/audio/tts', speech)).status).toBe(200);
  const refused = await call('/api/audio/speech', speech);
  expect([refused.status, refused.body.code]).toEqual([429, 'spend_limited']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(80_000);
  expect((await call('/v1/audio/tts', speech)).body).toMatchObject({ code: 1102 });
  expect((await call('/api/images/generations', { prompt: 'a fox' })).status).toBe(429);
  expect(seen.posts).toBe(2);
  // What is free goes on.
  expect((await call('/api/voices/presets')).status).toBe(200);
  expect((await call('/api/usage')).body).toMatchObject({
    usage: [],
    calls: [{ operation: 'text-to-speech', calls: 2, succeeded: 2, failed: 0, units: 0.1, pack: 'video', usd: 0.014 }],
  });
  const metrics = await registry.metrics();
  expect(metrics).toContain('klingapi_charged_units_total{pack="video",app="api"} 0.1\n');
  expect(metrics).toContain('klingapi_estimated_units_total{pack="video",app="api"} 0.1\n');
  expect(metrics).toMatch(/klingapi_charged_list_price_total\{pack="video",currency="usd",app="api"\} 0\.014/);
});

it('a call that Kling refused costs nothing; one of unknown outcome is sent once and counts as paid', async () => {
  const { call, seen } = await start(['1301', '5000', 'timeout']);
  expect((await call('/api/audio/speech', speech)).status).toBe(422);
  expect((await call('/api/usage')).body.calls).toMatchObject([{ calls: 1, failed: 1, units: 0 }]);
  expect((await call('/api/audio/speech', speech)).status).toBe(503);
  expect((await call('/api/audio/speech', speech)).status).toBe(503);
  expect(seen.posts).toBe(3);
  expect((await call('/api/usage')).body.calls).toMatchObject([{ calls: 3, succeeded: 0, failed: 1, units: 0.1 }]);
  expect((await call('/api/audio/speech', speech)).body.code).toBe('spend_limited');
});
