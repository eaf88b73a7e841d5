/** What machines make of every set of conditions that can come about, and whether those are as the API conventions ask. */
import { describe, expect, it } from 'vitest';
import type { Condition } from '../resource/status.ts';
import { statusSchema } from '../resource/status.ts';
import { OWN_TYPES } from './conditions.ts';
import { everyState, failing } from './every-state.testing.ts';
import { kstatus } from './kstatus.testing.ts';

const holds = (list: Condition[], type: string) => list.some((entry) => entry.type === type && entry.status === 'True');
const whole = (list: Condition[]) => ({
  metadata: { generation: 3 },
  status: { observedGeneration: 3, conditions: list },
});

describe('every set of conditions', () => {
  it('is by the API conventions', () => {
    expect(everyState.length).toBeGreaterThan(5_000);
    for (const { list } of everyState) {
      expect(new Set(list.map(({ type }) => type)).size).toBe(list.length);
      for (const entry of list) {
        if (!/^[A-Z][A-Za-z]+$/.test(entry.reason) || entry.message === '' || entry.observedGeneration !== 3)
          expect.fail(`${JSON.stringify(entry)} lacks a reason, a message or its generation`);
        if (!OWN_TYPES.has(entry.type)) expect.fail(`${entry.type} is not among our types`);
      }
    }
    const sample = everyState.filter((_, index) => index % 397 === 0);
    for (const { list } of sample) expect(() => statusSchema.parse({ conditions: list })).not.toThrow();
  });

  it('is Current, InProgress or Failed as whoever waits must know it', () => {
    const seen = new Map<string, number>();
    for (const { input, list } of everyState) {
      const exhausted = input.remediation.exhaustedSince !== undefined;
      const serves = input.mcp.pods.some((entry) => entry !== failing);
      const expected =
        input.stalled !== null ||
        input.rollout.kind === 'RolledBack' ||
        input.judgement.kind === 'Overdue' ||
        (exhausted && !serves)
          ? 'Failed'
          : holds(list, 'Reconciling') || !holds(list, 'Ready')
            ? 'InProgress'
            : 'Current';
      const found = kstatus(whole(list));
      if (found !== expected) expect.fail(`${found}, not ${expected}: ${JSON.stringify(list)}`);
      seen.set(found, (seen.get(found) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['Current', 'Failed', 'InProgress']);
  });

  it('never says that it works where it does not, nor that it is stuck while it goes on', () => {
    for (const { input, list } of everyState) {
      if (holds(list, 'Ready') && (input.api.ready === 0 || !input.mcp.pods.some((entry) => entry !== failing)))
        expect.fail(`Ready without a pod: ${JSON.stringify(list)}`);
      if (holds(list, 'Reconciling') && holds(list, 'Stalled')) expect.fail(`both: ${JSON.stringify(list)}`);
      // abnormal ones are there only while they hold
      for (const type of ['Degraded', 'RemediationExhausted', 'StormActive', 'Stalled', 'Reconciling', 'Paused'])
        if (list.some((entry) => entry.type === type) && !holds(list, type))
          expect.fail(`${type} is there but not True`);
    }
  });
});

it('a spec that was not looked at yet is in progress, whatever the status says of the one before', () => {
  const { list } = everyState.find((entry) => kstatus(whole(entry.list)) === 'Current')!;
  expect(kstatus({ ...whole(list), metadata: { generation: 4 } })).toBe('InProgress');
  // as the API server fills it in before any operator has seen it
  expect(kstatus({ metadata: { generation: 1 }, status: { observedGeneration: -1 } })).toBe('InProgress');
});
