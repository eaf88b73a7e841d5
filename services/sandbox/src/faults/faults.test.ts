import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CODES } from '../codes.ts';
import { type Harness, startHarness } from '../harness.ts';
import { createScriptBook, scriptSchema } from './script.ts';

vi.setConfig({ testTimeout: 30_000 });
const images = '/v1/images/generations';
const open: Harness[] = [];
afterEach(async () => {
  for (const { sandbox } of open.splice(0)) await sandbox.close();
});
async function start(): Promise<Harness> {
  const harness = await startHarness();
  open.push(harness);
  return harness;
}

/** Status and code, or how the call ended without them. */
async function outcome({ call }: Harness, fault: string, path = images): Promise<unknown> {
  return await call(path, {
    body: { prompt: 'x' },
    headers: { 'x-sandbox-fault': fault, 'x-sandbox-delay-ms': '5' },
  }).then(
    ({ status, body }) => [status, body['code']],
    (error: unknown) => (error instanceof SyntaxError ? 'no JSON' : 'broken off'),
  );
}

describe('a fault by header', () => {
  it('answers every code of the vendor, and makes nothing', async () => {
    const harness = await start();
    for (const [code, { status }] of Object.entries(CODES)) {
      expect(await outcome(harness, code)).toEqual([status, Number(code)]);
      expect(await outcome(harness, `200-${code}`)).toEqual([200, Number(code)]);
    }
    expect((await harness.call('/sandbox/charges')).body).toMatchObject({ tasks: 0, units: 0 });
  });

  it.each([
    ['reset', 'broken off', 0],
    ['html', 'no JSON', 0],
    ['slow', [200, 0], 1],
    ['truncated', 'broken off', 1],
    ['wrong-json', 'no JSON', 1],
    ['wrong-shape', [200, undefined], 1],
    ['after-create-reset', 'broken off', 1],
    ['after-create-5000', [500, 5000], 1],
    ['not-a-fault', [200, 0], 1],
  ])('%s ends in %j with %d tasks', async (fault, expected, tasks) => {
    const harness = await start();
    expect(await outcome(harness, fault)).toEqual(expected);
    expect((await harness.call('/sandbox/charges')).body).toMatchObject({ tasks });
  });

  it.each(['timeout', 'after-create-hang'])('%s never answers', async (fault) => {
    const { sandbox, call } = await start();
    const asked = fetch(sandbox.url + images, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json', 'x-sandbox-fault': fault },
      body: '{"prompt":"x"}',
      signal: AbortSignal.timeout(300),
    });
    await expect(asked).rejects.toThrow('timeout');
    expect((await call('/sandbox/charges')).body['tasks']).toBe(fault === 'timeout' ? 0 : 1);
  });

  it('strikes later, when it is one of tasks or results', async () => {
    const { sandbox, call, pass } = await start();
    const make = async (fault: string) => {
      const headers = { 'x-sandbox-fault': fault, 'x-sandbox-delay-ms': '5' };
      return (await call(images, { body: { prompt: 'x' }, headers })).body.data.task_id as string;
    };
    const [failing, endless, gone, expired, slow, cut] = [
      await make('task-fails'),
      await make('task-never-ends'),
      await make('result-404'),
      await make('result-expired'),
      await make('result-slow'),
      await make('result-truncated'),
    ];
    await pass(3_600_000);
    const see = async (id: string) => (await call(`${images}/${id}`)).body.data;
    expect(await see(failing)).toMatchObject({
      task_status: 'failed',
      task_status_msg: expect.stringContaining('risk control'),
    });
    expect(await see(endless)).toMatchObject({ task_status: 'processing' });
    const file = async (id: string) => await fetch((await see(id)).task_result.images[0].url);
    expect((await file(gone)).status).toBe(404);
    expect((await file(expired)).status).toBe(403);
    expect((await file(slow)).status).toBe(200);
    await expect((await file(cut)).arrayBuffer()).rejects.toThrow();
    // A task that failed is not paid.
    expect((await call('/sandbox/charges')).body).toMatchObject({ tasks: 6, units: 40 });
    expect(sandbox.url).toContain('127.0.0.1');
  });
});

describe('a scripted fault', () => {
  it('strikes what it matches, so often, after so many', async () => {
    const harness = await start();
    const { call } = harness;
    const script = { match: { kind: 'text-to-image', account: 'k1' }, fault: '1303', times: 2, afterRequests: 1 };
    const made = await call('/sandbox/faults', { body: script });
    expect(made).toMatchObject({ status: 201, body: { id: expect.any(String), seen: 0, struck: 0 } });
    const create = async (key: string) => (await call(images, { key, body: { prompt: 'x' } })).status;
    expect([
      await create('k1'),
      await create('k1'),
      await create('k2'),
      await create('k1'),
      await create('k1'),
    ]).toEqual([200, 429, 200, 429, 200]);
    expect((await call('/sandbox/faults')).body).toMatchObject({ faults: [{ seen: 4, struck: 2 }] });
    const { id } = made.body as unknown as { id: string };
    expect((await call(`/sandbox/faults/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await call(`/sandbox/faults/${id}`, { method: 'DELETE' })).toMatchObject({ status: 404 });
    expect((await call('/sandbox/faults')).body['faults']).toEqual([]);
  });

  it('tells in words what is wrong with it', async () => {
    const { call } = await start();
    const reply = await call('/sandbox/faults', { body: { fault: 'nothing', times: 0, match: { pathh: '/x' } } });
    expect(reply.status).toBe(400);
    expect((reply.body['errors'] as { field: string }[]).map(({ field }) => field).toSorted()).toEqual([
      'fault',
      'match',
      'times',
    ]);
    expect(reply.body['detail']).toContain('task-never-ends');
  });

  it('throws the same dice for the same seed, near to its probability', () => {
    const thrown = (seed: number) => {
      const book = createScriptBook();
      book.add(scriptSchema.parse({ fault: '5000', probability: 0.3, seed }));
      const seen = { method: 'POST', path: '/', kind: undefined, model: undefined, account: 'k', creates: true };
      return Array.from({ length: 1000 }, () => book.strike(seen) !== undefined);
    };
    fc.assert(
      fc.property(fc.nat(0xffffffff), (seed) => {
        const once = thrown(seed);
        expect(thrown(seed)).toEqual(once);
        expect(once.filter(Boolean).length).toBeGreaterThan(200);
        expect(once.filter(Boolean).length).toBeLessThan(400);
      }),
      { numRuns: 20 },
    );
  });
});
