/** Every set of conditions that can come about, for the tests of what machines make of them. */
import { NOTHING_MISSING } from '../observe/missing.ts';
import { assess } from '../remediation/assess.ts';
import type { Decision } from '../remediation/decide.ts';
import type { Condition, Verification } from '../resource/status.ts';
import { handshakeOf, podOf, reportOf, T0 } from '../testing.ts';
import { type ConditionInput, conditions } from './conditions.ts';

const policy = { startupGraceSeconds: 60, periodSeconds: 5, timeoutSeconds: 3 };
const pod = (verdict: 'Serving' | 'AuthRequired' | 'Failing') =>
  assess(
    podOf({
      probe: reportOf({ verdict, ...(verdict === 'Failing' ? { diagnosis: 'HttpError', failingSince: T0 } : {}) }),
      own: {
        last: handshakeOf(verdict, verdict === 'Failing' ? 'HttpError' : null),
        at: T0,
        failures: verdict === 'Failing' ? 3 : 0,
        failingSince: verdict === 'Failing' ? T0 : null,
      },
    }),
    policy,
    T0,
  );
export const [serving, failing, asking] = [pod('Serving'), pod('Failing'), pod('AuthRequired')];
const down = { reason: 'ApiDown', message: 'no API pod is ready' };
const finding = { reason: 'SomeReason', message: 'something is in the way' };
const verified = (result: 'Passed' | 'Failed', image: 'Passed' | 'Inconclusive' | 'Skipped'): Verification => ({
  summary: '3/3',
  at: new Date(T0).toISOString(),
  revision: 'r1',
  checks: [
    { name: 'McpHandshake', result, message: 'it was asked' },
    { name: 'ImageGeneration', result: image, message: 'it was tried' },
  ],
});
const held = { kind: 'Hold', reason: 'StormActive', message: 'many fail together', until: null } satisfies Decision;

/** Every value of every part of the input; what is the only one adds a condition of its own, which a test looks at. */
const PARTS: { [K in keyof Omit<ConditionInput, 'generation' | 'currentRevision'>]: ConditionInput[K][] } = {
  stalled: [null, finding],
  retrying: [null, finding],
  missing: [NOTHING_MISSING, { api: finding, mcp: null }],
  optionalKinds: [null],
  definition: [null],
  paused: [true],
  api: [
    { ready: 1, wanted: 1, trouble: down },
    { ready: 0, wanted: 1, trouble: down },
  ],
  mcp: [[serving, serving], [serving, failing], [failing, failing], [asking, asking], []].flatMap((pods) =>
    [false, true].map((rollingOut) => ({ pods, wanted: 2, rollingOut, refused: null })),
  ),
  verification: [
    undefined,
    verified('Passed', 'Passed'),
    verified('Failed', 'Skipped'),
    verified('Passed', 'Inconclusive'),
  ],
  exposure: [undefined],
  upstream: ['http://kling'],
  decision: [held],
  judgement: [
    { kind: 'Settled' },
    { kind: 'OnTrial', until: T0, message: 'it has until then' },
    { kind: 'Overdue', reason: 'HttpError', message: 'it does not serve' },
  ],
  rollout: [
    { kind: 'Wanted', revision: 'r1' },
    { kind: 'RolledBack', revision: 'r1', message: 'r2 was rejected' },
    { kind: 'Queued', revision: 'r1' },
  ],
  repairing: [undefined, 'studio-mcp-1'],
  remediation: [{}, { exhaustedSince: new Date(T0).toISOString() }],
};

function* every(parts: [string, unknown[]][]): Generator<Record<string, unknown>> {
  const [first, ...rest] = parts;
  if (first === undefined) return yield {};
  for (const value of first[1]) for (const others of every(rest)) yield { [first[0]]: value, ...others };
}

export interface State {
  readonly input: ConditionInput;
  readonly list: Condition[];
}

export const everyState: readonly State[] = [...every(Object.entries(PARTS))].map((parts) => {
  const input = { generation: 3, currentRevision: 'r1', ...parts } as ConditionInput;
  return { input, list: conditions([], input, T0) };
});
