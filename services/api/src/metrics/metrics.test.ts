/** The names and labels that dashboards and alerts are made for: a change here is a change for everybody who has some. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApi, taskReplySchema } from '../index.ts';
import { registerMetrics } from './metrics.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

describe('a scrape of the service', () => {
  it('has the series of the golden file, and what was done', async () => {
    const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
    closing.push(sandbox);
    const registry = createRegistry('api');
    const api = await startApi({
      ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
      upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' }, sleep: async () => {} },
      authentication: { auth: 'none' },
      logger: createLogger({ name: 'api', level: 'silent' }),
      registry,
      concurrency: 5,
    });
    closing.push(api);
    const post = (path: string, body: unknown) =>
      fetch(api.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const created = await post('/api/images/generations', { prompt: 'a fox', model_name: 'kling-v3' });
    const { id } = taskReplySchema.parse(await created.json());
    const during = await registry.metrics();
    expect(during).toContain('klingapi_slots_in_use{result="images",model="kling-v3",app="api"} 1');
    expect(during).toContain('klingapi_slots_limit{result="images",model="kling-v3",app="api"} 5');
    const ended = taskReplySchema.parse(await (await post(`/api/tasks/${id}/wait`, { timeoutSeconds: 20 })).json());
    expect(ended.status).toBe('succeeded');
    // Of a model that nobody knows; its name is no label.
    await post('/api/new/text-to-video', { prompt: 'a fox', model_name: 'chosen-by-the-caller' });
    const text = await registry.metrics();
    expect(text).toContain('klingapi_tasks_ended_total{kind="text-to-image",state="succeeded",app="api"} 1');
    expect(text).toContain(`klingapi_charged_units_total{pack="image",app="api"} ${ended.charge?.units}`);
    expect(text).toMatch(/klingapi_polls_total\{outcome="found",app="api"\} [1-9]/);
    expect(text).not.toContain('chosen-by-the-caller');
    expect(text).not.toContain(id);

    const types = text.split('\n').filter((line) => line.startsWith('# TYPE ') && !/TYPE (process|nodejs)_/.test(line));
    const lines = types.map((line) => line.replace('# TYPE ', '')).sort();
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('golden/metrics.golden.txt');
  });
});

it('failures of Kling count by its code, of codes nobody knows as other, of none by their kind', async () => {
  const registry = new Registry();
  const { onExchange } = registerMetrics(registry);
  const told = { method: 'POST', path: '/v1/audio/tts', milliseconds: 5 } as const;
  onExchange({ ...told, outcome: 'ok', code: 0 });
  onExchange({ ...told, outcome: 'balance', code: 1102 });
  onExchange({ ...told, outcome: 'bad_request', code: 98_765 });
  onExchange({ ...told, outcome: 'timeout', code: null });
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('klingapi_upstream_errors'));
  expect(lines.map((line) => line.replace(/.*code=/, ''))).toEqual(['"1102"} 1', '"other"} 1', '"timeout"} 1']);
});
