import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { scraped } from '../../management/src/scraped.ts';
import { probeReportSchema } from './report.ts';
import { DISCOVERED, INITIALIZED, json, startScripted } from './scripted-server.ts';
import { startSidecar } from './sidecar.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function guardedServer() {
  const state = { key: 'first-key', dead: false };
  const server = await startScripted((seen, response) => {
    if (seen.headers.authorization !== `Bearer ${state.key}`) return void response.writeHead(401).end();
    if (state.dead) return void response.writeHead(500).end('Task group is not initialized');
    json(response, 200, seen.rpc === 'initialize' ? INITIALIZED : DISCOVERED);
  });
  cleanups.push(server.close);
  return { server, state };
}

describe('sidecar', () => {
  it('answers the kubelet with a handshake and takes a new key at once', async () => {
    const { server, state } = await guardedServer();
    const headersDir = await mkdtemp(join(tmpdir(), 'probe-'));
    cleanups.push(() => rm(headersDir, { recursive: true }));
    await writeFile(join(headersDir, 'Authorization'), 'Bearer first-key\n');
    const changes: string[] = [];
    const sidecar = await startSidecar({
      url: server.url,
      hostHeader: undefined,
      headersDir,
      eras: 'Both',
      timeoutMs: 2000,
      management: { host: '127.0.0.1', port: 0 },
      onChange: ({ verdict, diagnosis }) => changes.push(`${verdict} ${diagnosis}`),
    });
    cleanups.push(sidecar.management.close);
    const get = (path: string) => fetch(`http://127.0.0.1:${sidecar.management.port}${path}`);
    const readyz = async () => {
      const reply = await get('/readyz');
      return { status: reply.status, report: probeReportSchema.parse(await reply.json()) };
    };

    expect((await get('/handshake')).status).toBe(404);
    expect(await readyz()).toMatchObject({ status: 200, report: { verdict: 'Serving', diagnosis: null } });
    state.key = 'second-key';
    expect(await readyz()).toMatchObject({ status: 200, report: { verdict: 'AuthRequired', diagnosis: 'KeyInvalid' } });
    await writeFile(join(headersDir, 'Authorization'), 'Bearer second-key\n');
    expect(await readyz()).toMatchObject({ status: 200, report: { verdict: 'Serving' } });
    state.dead = true;
    const before = server.seen.length;
    expect(await readyz()).toMatchObject({ status: 503, report: { diagnosis: 'SessionManagerDown' } });
    expect((await get('/livez')).status).toBe(200);
    const kept = await get('/handshake');
    expect(probeReportSchema.parse(await kept.json())).toMatchObject({ consecutiveFailures: 1, handshakes: 4 });
    expect(server.seen.length).toBe(before + 1);
    expect(changes).toEqual(['Serving null', 'AuthRequired KeyInvalid', 'Serving null', 'Failing SessionManagerDown']);

    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/klingapi_handshakes_total\{verdict="Serving",app="probe"\} 2/);
    expect(metrics).toMatch(/klingapi_handshake_failing_since_timestamp_seconds\{app="probe"\} 1\.?\d+/);
    // Dashboards and alerts are made for these names: a change here is a change for everybody who has some.
    await expect(scraped(metrics)).toMatchFileSnapshot('golden/metrics.golden.txt');

    state.dead = false;
    sidecar.drain();
    expect(await readyz()).toMatchObject({ status: 503, report: { verdict: 'Serving' } });
  });
});
