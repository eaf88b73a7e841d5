import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createRegistry } from '@klingapi/management';
import { startSandbox } from '@klingapi/sandbox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ApiOptions, startApi } from './index.ts';

vi.setConfig({ testTimeout: 30_000 });
const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

async function start(auth: 'callers' | 'none', options: Partial<ApiOptions> = {}) {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, taskSeconds: 0.05 });
  closing.push(sandbox);
  const callersDir = mkdtempSync(join(tmpdir(), 'callers-'));
  writeFileSync(join(callersDir, 'alice'), 'alice-key');
  const api = await startApi({
    ...{ host: '127.0.0.1', port: 0, storage: { dataDir: mkdtempSync(join(tmpdir(), 'data-')) } },
    upstream: { baseUrl: sandbox.url, credentials: { apiKey: 'k' }, sleep: async () => {} },
    authentication: { auth, callersDir },
    logger: createLogger({ name: 'api', level: 'silent' }),
    registry: createRegistry('api'),
    ...options,
  });
  closing.push(api);
  /** Not by fetch, which sends its own Host. */
  const call = (method: string, path: string, headers: Record<string, string>) =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const json = { 'content-type': 'application/json' };
      const sent = request(api.url + path, { method, headers: { ...json, ...headers } }, (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (data: string) => {
          text += data;
        });
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }));
      });
      sent.on('error', reject);
      sent.end(method === 'POST' ? '{"prompt":"a fox"}' : undefined);
    });
  return { api, call };
}
const images = '/api/images/generations';
const app = 'https://app.example';
const key = { authorization: 'Bearer alice-key' };
const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,x-a' };

describe('pages of other origins', () => {
  it('may read and ask nothing unless they are listed; a key is a key all the same', async () => {
    const { call } = await start('callers');
    expect(await call('OPTIONS', images, { origin: app, ...preflight })).toMatchObject({
      status: 403,
      text: expect.stringContaining('origin_refused'),
    });
    const created = await call('POST', images, { origin: app, ...key });
    expect(created.status).toBe(202);
    expect(Object.keys(created.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(created.headers['vary']).toBe('Origin');
  });

  it('that are listed are answered before they have shown a key, and may read replies, refusals and streams', async () => {
    const { call } = await start('callers', { allowedOrigins: [app] });
    for (const path of [images, '/v1/images/generations', '/api/tasks/x']) {
      const reply = await call('OPTIONS', path, { origin: app, ...preflight });
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': app,
        'access-control-allow-headers': 'authorization,x-a',
        'access-control-allow-methods': expect.stringContaining('POST'),
      });
      expect(reply.headers).not.toHaveProperty('access-control-allow-credentials');
    }
    const refused = await call('POST', images, { origin: app });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, app]);
    const created = await call('POST', images, { origin: app, ...key });
    expect(created.headers).toMatchObject({ 'access-control-allow-origin': app, vary: 'Origin' });
    expect(created.headers['access-control-expose-headers']).toContain('Location');
    const stream = await call('GET', `${created.headers['location']}/events`, { origin: app, ...key });
    expect([stream.status, stream.headers['access-control-allow-origin']]).toEqual([200, app]);
    expect((await call('OPTIONS', images, { origin: 'https://other.example', ...preflight })).status).toBe(403);
  });
});

describe('without keys', () => {
  it('a foreign page changes nothing, ours and listed ones do', async () => {
    const { api, call } = await start('none', { allowedOrigins: [app], publicUrl: 'https://kling.example/' });
    for (const origin of ['https://evil.example', 'null', `https://127.0.0.1.evil.example:${api.port}`]) {
      expect((await call('POST', images, { origin })).text, origin).toContain('origin_refused');
      expect((await call('POST', '/v1/images/generations', { origin })).text, origin).toContain('1103');
    }
    for (const origin of [api.url, app, 'https://kling.example']) {
      expect((await call('POST', images, { origin })).status, origin).toBe(202);
    }
    expect((await call('POST', images, {})).status).toBe(202);
  });

  it('nobody comes under a name that could be pointed here', async () => {
    const { api, call } = await start('none', { allowedHosts: ['kling.intra.example'] });
    const evil = { host: `evil.example:${api.port}`, origin: `http://evil.example:${api.port}` };
    expect((await call('GET', '/api/tasks', { host: evil.host })).text).toContain('host_refused');
    expect((await call('POST', images, evil)).text).toContain('host_refused');
    for (const host of [
      ...['localhost', '127.0.0.1:5511', '[::1]:5511', '10.1.2.3', 'studio-api:5511', 'studio-api.media.svc'],
      ...['studio-api.media.svc.cluster.local', 'KLING.intra.example'],
    ]) {
      expect((await call('GET', '/api/tasks', { host })).status, host).toBe(200);
    }
    const { call: withKeys } = await start('callers');
    expect((await withKeys('GET', '/api/tasks', { host: 'any.example', ...key })).status).toBe(200);
  });
});
