import { createServer } from 'node:http';
import { MODELS } from '@klingapi/kling';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Catalogue, createCatalogue } from './catalogue.ts';
import { INTERNAL_KEY, startFakeApi } from './fake-api.ts';

vi.setConfig({ testTimeout: 30_000 });

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function clientOf(url: string): ApiClient {
  const client = createApiClient({ url, internalKey: INTERNAL_KEY });
  closing.push(client.close);
  return client;
}
async function start() {
  const api = await startFakeApi();
  closing.push(api.close);
  let seconds = 0;
  const catalogue = createCatalogue({ api: clientOf(api.url), now: () => seconds * 1000 });
  return {
    api,
    catalogue,
    pass(more: number) {
      seconds += more;
    },
  };
}
const release = (number: number) => [{ kind: 'text-to-image', models: [{ id: `model-${number}`, news: true }] }];
const idsOf = async (catalogue: Catalogue) =>
  (await catalogue.kinds()).flatMap(({ models }) => models.map(({ id }) => id));
const OWN = Object.values(MODELS).flatMap((models) => models.map(({ id }) => id));

describe('the catalogue', () => {
  it('is that of the API, kept for as long as it says, and then asked for with its ETag', async () => {
    const { api, catalogue, pass } = await start();
    api.offer(release(1));
    expect(await catalogue.kinds()).toEqual(release(1));
    expect(api.received).toMatchObject([{ route: 'GET /api/models', subject: 'system:mcp', scopes: ['read'] }]);
    expect(api.received[0]?.headers['if-none-match']).toBeUndefined();
    pass(299);
    expect(await catalogue.kinds()).toEqual(release(1));
    expect(api.received).toHaveLength(1);
    pass(2);
    expect(await catalogue.kinds()).toEqual(release(1));
    expect(api.received[1]?.headers['if-none-match']).toMatch(/^"[0-9a-f]{64}"$/);
    // what did not change is good for as long again
    pass(299);
    await catalogue.kinds();
    expect(api.received).toHaveLength(2);
    api.offer(release(2));
    pass(2);
    expect(await catalogue.kinds()).toEqual(release(2));
  });

  it.each([
    ['no-store', 0],
    ['max-age=20', 20],
    [undefined, 300],
  ])('is asked for again as Cache-Control says: %s', async (cacheControl, seconds) => {
    const { api, catalogue, pass } = await start();
    const headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl };
    api.answerOnce(200, { kinds: release(1) }, headers);
    expect(await catalogue.kinds()).toEqual(release(1));
    api.offer(release(2));
    pass(seconds - 1);
    if (seconds > 0) expect(await catalogue.kinds()).toEqual(release(1));
    pass(1);
    expect(await catalogue.kinds()).toEqual(release(2));
    // it came without an ETag
    expect(api.received[1]?.headers['if-none-match']).toBeUndefined();
  });

  it.each([
    ['refuses', 401, { code: 'unauthenticated' }],
    ['is ending', 503, { code: 'draining' }],
    ['answers nonsense', 200, { kinds: 'none' }],
  ])('is what is known of it when the API %s', async (_what, status, body) => {
    const { api, catalogue, pass } = await start();
    api.answerOnce(status, body);
    expect(await idsOf(catalogue)).toEqual(OWN);
    // the API is left alone for a while
    api.offer(release(1));
    pass(9);
    expect(await idsOf(catalogue)).toEqual(OWN);
    pass(2);
    expect(await idsOf(catalogue)).toEqual(['model-1']);
    pass(301);
    api.answerOnce(status, body);
    expect(await idsOf(catalogue)).toEqual(['model-1']);
  });

  it('is this release’s own where nobody is at home, and takes no longer than one can wait where nobody answers', async () => {
    const nobody = createCatalogue({ api: clientOf('http://127.0.0.1:1'), now: () => performance.now() });
    expect(await idsOf(nobody)).toEqual(OWN);

    let asked = 0;
    const silent = createServer(() => {
      asked += 1;
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const address = silent.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const catalogue = createCatalogue({ api: clientOf(url), now: () => performance.now() });
    const started = performance.now();
    expect(await Promise.all([idsOf(catalogue), idsOf(catalogue)])).toEqual([OWN, OWN]);
    expect(performance.now() - started).toBeLessThan(6_000);
    const later = performance.now();
    expect(await idsOf(catalogue)).toEqual(OWN);
    expect(performance.now() - later).toBeLessThan(500);
    expect(asked).toBe(1);
  });

  it('is never older than told, never absent and never fetched twice at a time, whatever happens in which order', async () => {
    const step = fc.oneof(
      fc.record({ ask: fc.integer({ min: 1, max: 4 }), down: fc.boolean() }),
      fc.record({ pass: fc.constantFrom(1, 9, 10, 150, 299, 300, 301) }),
      fc.record({ offer: fc.integer({ min: 1, max: 3 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { api, catalogue, pass } = await start();
        let offered = 1;
        api.offer(release(offered));
        let [now, known, askAgainAt] = [0, OWN, Number.NEGATIVE_INFINITY];
        for (const each of steps) {
          if ('offer' in each) {
            offered = each.offer;
            api.offer(release(offered));
          } else if ('pass' in each) {
            now += each.pass;
            pass(each.pass);
          } else {
            const due = now >= askAgainAt;
            const before = api.received.length;
            if (due && each.down) api.answerOnce(503, {});
            const answers = await Promise.all(Array.from({ length: each.ask }, () => idsOf(catalogue)));
            if (due) {
              askAgainAt = now + (each.down ? 10 : 300);
              if (!each.down) known = [`model-${offered}`];
            }
            expect(answers).toEqual(Array(each.ask).fill(known));
            expect(api.received.length - before).toBe(due ? 1 : 0);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
