import { describe, expect, it } from 'vitest';
import type { KlingApi } from '../resource/klingapi.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { createTurns, isTurnOver } from './turns.ts';

const named = (uid: string, revisions?: Record<string, unknown>): KlingApi => {
  const made = klingApiOf({}, revisions === undefined ? undefined : { revisions });
  return { ...made, metadata: { ...made.metadata, uid } };
};
const time = (at: number): string => new Date(at).toISOString();
const rolling = (uid: string, since = T0): KlingApi =>
  named(uid, { current: 'new', verified: 'old', since: time(since) });

describe('turns', () => {
  it('are as many as the limit, and one is free when somebody is done', () => {
    const all = ['a', 'b', 'c'].map((uid) => named(uid));
    const turns = createTurns(
      2,
      () => all,
      () => T0,
    );
    expect(all.map((klingApi) => turns.take(klingApi))).toEqual([true, true, false]);
    expect(turns.take(named('a')), 'who has a turn keeps it').toBe(true);
    turns.done('b');
    expect(turns.take(named('c'))).toBe(true);
  });

  it('are known to an operator that has just started, by the statuses', () => {
    const all = [rolling('a'), rolling('b'), named('c', { current: 'old', verified: 'old', since: time(T0) })];
    const turns = createTurns(
      2,
      () => all,
      () => T0,
    );
    expect(turns.take(named('c'))).toBe(false);
    expect(turns.take(rolling('a')), 'who rolls goes on').toBe(true);
  });

  it('end by themselves where the new revision is never verified', () => {
    let now = T0;
    const turns = createTurns(
      1,
      () => [rolling('a')],
      () => now,
    );
    expect(turns.take(rolling('a'))).toBe(true);
    expect(turns.take(named('b'))).toBe(false);
    now += 300_000 + 600_000;
    expect(turns.take(named('b'))).toBe(true);
  });

  it('are given back with a KlingApi that is gone', () => {
    const turns = createTurns(
      1,
      () => [],
      () => T0,
    );
    expect(turns.take(named('a'))).toBe(true);
    turns.forget('a');
    expect(turns.take(named('b'))).toBe(true);
  });

  it('do not wait for a first revision, which replaces nothing', () => {
    const turns = createTurns(
      1,
      () => [named('a', { current: 'new', since: time(T0) })],
      () => T0,
    );
    expect(turns.take(named('b'))).toBe(true);
  });
});

describe('a turn', () => {
  const still = { rollingOut: false };
  const rolls = { rollingOut: true };
  const current = { kind: 'Wanted' as const, revision: 'new' };
  it.each([
    ['is over with a revision that is verified', { mcp: still, api: still, verified: 'new', choice: current }, true],
    ['lasts while MCP pods roll', { mcp: rolls, api: still, verified: 'new', choice: current }, false],
    ['lasts while only API pods roll', { mcp: still, api: rolls, verified: 'new', choice: current }, false],
    ['lasts until the verification', { mcp: still, api: still, verified: 'old', choice: current }, false],
    [
      'was not had yet by whoever waits',
      { mcp: still, api: still, verified: 'new', choice: { ...current, kind: 'Queued' as const } },
      false,
    ],
  ])('%s', (_, input, over) => {
    expect(isTurnOver({ revision: 'new', ...input })).toBe(over);
  });
});
