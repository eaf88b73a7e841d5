import { describe, expect, it } from 'vitest';
import { diagnosesOf, newlyDiagnosed } from './diagnosed.ts';
import type { Condition, KlingApiStatus, PodStatus } from './resource/status.ts';

const at = '2026-11-24T10:00:00.000Z';
const pod = (name: string, diagnosis?: string): PodStatus => ({
  name,
  verdict: diagnosis === undefined ? 'Serving' : 'Failing',
  ...(diagnosis === undefined ? {} : { diagnosis, message: 'why' }),
  since: at,
});
const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: 'why',
  lastTransitionTime: at,
});
const status = (pods: PodStatus[], conditions: Condition[] = []): KlingApiStatus => ({ mcp: { pods }, conditions });
const reasons = (before: KlingApiStatus, after: KlingApiStatus) =>
  newlyDiagnosed(before, after).map((one) => one.reason);

describe('what is newly wrong', () => {
  it('is told once for each pod, and never for a moment', () => {
    const one = status([pod('a', 'ImagePull'), pod('b')]);
    expect(reasons({}, one)).toEqual(['ImagePull']);
    expect(reasons(one, one)).toEqual([]);
    expect(reasons(one, status([pod('a', 'ImagePull'), pod('b', 'ImagePull')]))).toEqual(['ImagePull']);
    expect(reasons({}, status([pod('a', 'Starting'), pod('b', 'ObserversDisagree')]))).toEqual([]);
  });

  it('is told of what no pod says, once for all conditions', () => {
    const refused = [
      condition('McpAvailable', 'False', 'QuotaExceeded'),
      condition('Degraded', 'True', 'QuotaExceeded'),
      condition('UpstreamReachable', 'False', 'UpstreamBalanceEmpty'),
      condition('ApiAvailable', 'True', 'PodsReady'),
    ];
    expect(reasons({}, status([], refused))).toEqual(['QuotaExceeded', 'UpstreamBalanceEmpty']);
    expect(reasons(status([], refused), status([], refused))).toEqual([]);
  });

  it('is not told twice, by the pod and by the condition that repeats it', () => {
    const after = status([pod('a', 'CrashLoop')], [condition('McpAvailable', 'False', 'CrashLoop')]);
    expect(reasons({}, after)).toEqual(['CrashLoop']);
    expect([...diagnosesOf(after)]).toEqual([['CrashLoop', 1]]);
  });

  it('is counted by pods', () => {
    const now = status(
      [pod('a', 'HttpError'), pod('b', 'HttpError'), pod('c', 'Starting')],
      [condition('ApiAvailable', 'False', 'ApiDown'), condition('Degraded', 'True', 'HttpError')],
    );
    expect([...diagnosesOf(now)]).toEqual([
      ['HttpError', 2],
      ['Starting', 1],
      ['ApiDown', 1],
    ]);
  });
});
