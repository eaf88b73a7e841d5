/** Commands that ask the operator for something and wait for it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { T0 } from '../../testing.ts';
import { wellOf } from '../testing.ts';
import { type Desk, KLINGAPIS, openDesk } from '../typed.testing.ts';

const iso = (ms: number): string => new Date(T0 + ms).toISOString();
const patchSchema = z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) });

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk.close());

/** One after the other at each look, the last again and again. @param states made when the request is known */
function states(before: object, after: (request: string) => object[]): void {
  let coming = [before];
  desk.answer({
    [`GET ${KLINGAPIS}/studio`]: (exchange) => exchange.reply(200, coming.length > 1 ? coming.shift() : coming[0]),
    [`PATCH ${KLINGAPIS}/studio`]: (exchange) => {
      const { annotations } = patchSchema.parse(JSON.parse(exchange.body)).metadata;
      coming = after(Object.values(annotations)[0] ?? '');
      exchange.reply(200, before);
    },
  });
}

describe('verify', () => {
  const checks = [{ name: 'ApiHealth', result: 'Passed', message: 'well', durationMs: 4 }];
  const verified = (summary: string, at: number, request?: string) =>
    wellOf({}, { verification: { summary, checks, at: iso(at), ...(request === undefined ? {} : { request }) } });
  // of somebody whose clock is ahead, asked for before and answered meanwhile
  const ahead = iso(3_600_000);

  it.each<[string, (request: string) => object[], string]>([
    ['its own', (mine) => [verified('0/3', 0, ahead), verified('3/3', 5_000, mine)], '3/3'],
    [
      'one that somebody else asked for later, by a clock that is behind',
      () => [verified('2/2', 1_000, iso(-30_000))],
      '2/2',
    ],
  ])('takes %s for the answer, and no older one whatever the clocks say', async (_, after, summary) => {
    states(verified('1/3', -60_000, ahead), after);
    const { code, out } = await desk.typed(['verify', 'studio'], { now: () => T0 });
    expect(out).toContain(`${summary} checks passed`);
    expect(code).toBe(0);
  });

  it('does not take the answer of a request that was there before', async () => {
    const pending = verified('1/3', -60_000, 'first');
    const before = { ...pending, metadata: { ...pending.metadata, annotations: { 'klingapi.dev/verify': 'second' } } };
    states(before, (mine) => [verified('2/3', 1_000, 'second'), verified('3/3', 2_000, mine)]);
    expect((await desk.typed(['verify', 'studio'])).out).toContain('3/3 checks passed');
  });

  it('that nobody answers says what to look at', async () => {
    states(verified('1/3', 0), () => [verified('1/3', 0)]);
    const { code, err } = await desk.typed(['verify', 'studio', '--timeout', '20ms']);
    expect(err).toMatch(/error: no verification .*kubectl kling doctor studio .*kubectl kling version/);
    expect(code).toBe(1);
  });
});

describe('repair', () => {
  const pods = (...verdicts: string[]) =>
    verdicts.map((verdict, index) => ({ name: `studio-mcp-${index}`, verdict, since: iso(-60_000) }));
  const at = (...verdicts: string[]) => wellOf({}, { mcp: { serving: '1/2', pods: pods(...verdicts) } });

  it('ends well where the pods serve again by themselves', async () => {
    states(at('Failing', 'Serving'), () => [
      at('Failing', 'Serving'),
      at('Unknown', 'Serving'),
      at('Serving', 'Serving'),
    ]);
    const { code, out } = await desk.typed(['repair', 'studio', '--timeout', '20s']);
    expect(out).toBe('studio: every MCP pod passes its handshake again, and no repair was needed\n');
    expect(code).toBe(0);
  });

  it('that does not begin says what to look at', async () => {
    states(at('Failing'), () => [at('Failing')]);
    const { code, err } = await desk.typed(['repair', 'studio', '--timeout', '20ms']);
    expect(err).toMatch(/error: no repair .*kubectl kling doctor studio .*kubectl kling version/);
    expect(code).toBe(1);
  });
});

describe('version', () => {
  it('tells an operator that was not seen from none', async () => {
    desk.answer({
      'GET /version': { gitVersion: 'v1.34.4', major: '1', minor: '34' },
      'GET /apis/apps/v1/namespaces/media/deployments': (exchange) => exchange.reply(500, { message: 'etcd is away' }),
      'GET /apis/apps/v1/namespaces/kling-system/deployments': { metadata: {}, items: [] },
      'GET /apis/apps/v1/deployments': { metadata: {}, items: [] },
    });
    expect((await desk.typed(['version'])).out).toMatch(/operator +not seen: etcd is away\nKubernetes +v1\.34\.4/);
  });
});
