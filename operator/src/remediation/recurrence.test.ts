import { describe, expect, it } from 'vitest';
import { repairSchema } from '../resource/status.ts';
import { earlierRepair, POLICY, podOf, T0 } from '../testing.ts';
import { assess } from './assess.ts';
import { recurrenceOf } from './recurrence.ts';

const pod = { ...assess(podOf(), POLICY, T0), failingSince: T0 - 10_000 };
const repair = earlierRepair({ replacement: pod.pod, servedAt: T0 - 52_000 });
const base = { pod, diagnosis: 'HttpError', repairs: [repair], minHealthySeconds: 300, lastRequest: undefined };

describe('a fault', () => {
  it('that comes back soon in the pod that a repair made is counted, and said in words', () => {
    const first = recurrenceOf(base, T0);
    expect(first).toEqual({
      times: 1,
      message:
        'HttpError came back 42 s after the repair of studio-mcp-0: its cause is one that restarting does not remove',
    });
    const second = recurrenceOf({ ...base, repairs: [{ ...repair, recurrence: first }] }, T0);
    expect(second?.times).toBe(2);
    expect(second?.message).toContain('2 times in a row');
    const never = { ...repair, outcome: 'Failed' as const, steps: [] };
    expect(recurrenceOf({ ...base, repairs: [never] }, T0)?.message).toContain('came back at once');
  });

  it.each([
    ['in a pod that no repair made', { repairs: [{ ...repair, replacement: 'another' }] }],
    ['of another kind', { diagnosis: 'SessionManagerDown' }],
    ['after it had served for long enough', { minHealthySeconds: 42 }],
    ['while the repair is under way', { repairs: [{ ...repair, outcome: undefined }] }],
  ])('%s is a new one', (_, overrides) => {
    expect(recurrenceOf({ ...base, ...overrides }, T0)).toBeUndefined();
  });

  it('stays within the bounds of the status', () => {
    const often = { ...repair, recurrence: { times: 1_000, message: '' } };
    const recurrence = recurrenceOf({ ...base, repairs: [often], lastRequest: 'x'.repeat(2_000) }, T0);
    expect(() => repairSchema.parse({ ...repair, recurrence })).not.toThrow();
  });
});
