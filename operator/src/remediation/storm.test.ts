import { describe, expect, it } from 'vitest';
import type { KlingApi } from '../resource/klingapi.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { stormIn } from './storm.ts';

const policy = { klingApis: 3, percent: 30, windowSeconds: 120 };
const pod = (diagnosis: string, at: number, verdict = 'Unreachable') => ({
  name: 'p',
  verdict,
  diagnosis,
  since: new Date(at).toISOString(),
});
const failing = (at: number, diagnosis = 'ConnectionRefused', verdict?: string): KlingApi =>
  klingApiOf({}, { mcp: { pods: [pod(diagnosis, at, verdict)] } });
const fine = (count: number): KlingApi[] => Array.from({ length: count }, () => klingApiOf());
const three = [failing(T0), failing(T0 + 60_000), failing(T0 + 119_000)];

describe('a storm', () => {
  it('is three KlingApis of ten that fall silent within two minutes', () => {
    expect(stormIn([...three, ...fine(7)], policy, T0)).toMatch(/^3 of 10 KlingApis fell silent within 120 s/);
  });

  it.each([
    ['two', [...three.slice(0, 2), ...fine(1)]],
    ['less than the percentage', [...three, ...fine(8)]],
    ['spread over more than the window', [failing(T0), failing(T0 + 60_000), failing(T0 + 121_000)]],
    ['what a network policy keeps apart for good', [...three.slice(0, 2), failing(T0, 'NetworkBlocked', 'Unknown')]],
    ['what the processes themselves answer', three.map(() => failing(T0, 'HttpError', 'Failing'))],
  ])('is not %s', (_, all) => {
    expect(stormIn(all, policy, T0)).toBeNull();
  });

  it('is found among older failures', () => {
    const old = [failing(T0 - 3_600_000), failing(T0 - 1_800_000)];
    expect(stormIn([...old, ...three], policy, T0 + 60_000)).not.toBeNull();
  });

  it('holds back nobody who falls silent at another time, though others were never repaired', () => {
    expect(stormIn([...three, failing(T0 + 86_400_000)], policy, T0 + 86_400_000)).toBeNull();
  });

  it('holds back whoever falls silent with the others before its status says so', () => {
    expect(stormIn([...three, ...fine(1)], policy, T0 + 100_000)).not.toBeNull();
  });

  it('counts those whose silence only the operator has noticed yet', () => {
    const noticed = [failing(T0), failing(T0, 'ObserversDisagree', 'Unknown'), failing(T0)];
    expect(stormIn(noticed, policy, T0)).not.toBeNull();
    const own = [
      failing(T0),
      failing(T0, 'ObserversDisagree', 'Failing'),
      failing(T0, 'ObserversDisagree', 'Unreachable'),
    ];
    expect(stormIn(own, policy, T0), 'the operator reaches them').toBeNull();
  });

  it('is not made of KlingApis that are being deleted', () => {
    const deleted = three.map((one) => ({
      ...one,
      metadata: { ...one.metadata, deletionTimestamp: '2026-11-24T10:05:00Z' },
    }));
    expect(stormIn([...deleted, ...fine(1)], policy, T0)).toBeNull();
  });

  it('is never one with the guard turned off', () => {
    expect(stormIn(three, { ...policy, klingApis: 0 }, T0)).toBeNull();
  });
});
