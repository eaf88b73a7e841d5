import { describe, expect, it } from 'vitest';
import { klingApiOf, T0 } from '../testing.ts';
import { imageCheck } from './policy.ts';

const vendor = { upstream: { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } } };
const VENDOR_URL = 'https://api-singapore.klingai.com';
const image = (result: string, upstream = VENDOR_URL) => ({
  verification: {
    upstream,
    summary: '2/3',
    at: new Date(T0).toISOString(),
    revision: 'r1',
    checks: [{ name: 'ImageGeneration', result, message: 'm' }],
  },
});
const runs = (spec: Record<string, unknown>, status: Record<string, unknown>): boolean => {
  return imageCheck(klingApiOf(spec, status), 'r1', T0).run;
};

describe('a verification makes a picture', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, boolean]>([
    ['on the sandbox always', {}, { revisions: { verified: 'r1' } }, true],
    ['with the vendor for a new revision', vendor, { revisions: { verified: 'r0' } }, true],
    ['with the vendor not twice for a revision', vendor, { revisions: { verified: 'r1' }, ...image('Passed') }, false],
    [
      'for an upstream that never made one',
      vendor,
      { revisions: { verified: 'r1' }, ...image('Passed', 'http://studio-sandbox.media.svc:5512') },
      true,
    ],
    [
      'again after a failure that lay upstream',
      vendor,
      { revisions: { verified: 'r1' }, ...image('Inconclusive') },
      true,
    ],
    [
      'always where that is asked for',
      { ...vendor, verification: { image: 'Always' } },
      { revisions: { verified: 'r1' } },
      true,
    ],
    ['never where that is asked for', { verification: { image: 'Never' } }, {}, false],
    [
      'not past maxPerDay',
      { verification: { maxPerDay: 2 } },
      { imageChecks: [T0 - 1_000, T0 - 2_000].map((at) => new Date(at).toISOString()) },
      false,
    ],
    [
      'again when the day is over',
      { verification: { maxPerDay: 1 } },
      { imageChecks: [new Date(T0 - 86_400_000).toISOString()] },
      true,
    ],
  ])('%s', (_, spec, status, expected) => {
    expect(runs(spec, status)).toBe(expected);
  });
});
