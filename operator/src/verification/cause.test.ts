import { describe, expect, it } from 'vitest';
import { transportCause, upstreamCause } from './cause.ts';

describe('the cause of a check that did not pass', () => {
  it.each([
    ['upstream_key_invalid', 'UpstreamKeyInvalid'],
    ['upstream_balance', 'UpstreamBalanceEmpty'],
    ['upstream_rate_limit', 'UpstreamRateLimited'],
    ['upstream_concurrency', 'UpstreamRateLimited'],
    ['upstream_unavailable', 'UpstreamDown'],
    ['upstream_moderation', 'UpstreamRefused'],
    ['upstream_of_tomorrow', 'UpstreamRefused'],
    ['unauthenticated', undefined],
    [undefined, undefined],
  ])('%s is %s', (code, cause) => {
    expect(upstreamCause(code)).toBe(cause);
  });

  it('is read from the error of a fetch that got no reply', async () => {
    const refused = await fetch('http://127.0.0.1:1/').catch((error: unknown) => error);
    expect(transportCause(refused)?.reason ?? 'none').toMatch(/ApiDown|none/);
    const nobody = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    expect(transportCause(new TypeError('fetch failed', { cause: new AggregateError([nobody]) }))).toEqual({
      reason: 'ApiDown',
      message: 'the connection was refused (ECONNREFUSED)',
    });
    const unknown = await fetch('http://studio-api.invalid/').catch((error: unknown) => error);
    expect(transportCause(unknown)?.reason).toBe('NameResolution');
    const late = await fetch('http://127.0.0.1/', { signal: AbortSignal.timeout(0) }).catch((error: unknown) => error);
    expect(transportCause(late)?.reason).toBe('ApiDown');
    expect(transportCause(new Error('the reply is longer than 5 bytes'))).toBeUndefined();
  });
});
