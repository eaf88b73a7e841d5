/** Random histories of pods that fail, recover, are replaced and roll, against the promises that hold for all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RepairRecord } from '../resource/status.ts';
import { type Lasting, type Mode, World } from './world.testing.ts';

const event = fc.record({
  wait: fc.integer({ min: 100, max: 20_000 }),
  breaks: fc.option(fc.nat(3), { freq: 3 }),
  lasting: fc.option(fc.constantFrom<Lasting>('Never', 'Revision', 'Always'), { freq: 6 }),
  /** A new generation of the spec, with this revision. */
  spec: fc.option(fc.constantFrom('r1', 'r2', 'r3'), { freq: 10 }),
  /** A new generation of the spec, with this mode. */
  mode: fc.option(fc.constantFrom<Mode>('Auto', 'Auto', 'DryRun', 'Off', 'Paused'), { freq: 10 }),
});

const history = fc.record({
  events: fc.array(event, { minLength: 20, maxLength: 150 }),
  replicas: fc.integer({ min: 1, max: 3 }),
  budget: fc.integer({ min: 1, max: 6 }),
  most: fc.integer({ min: 1, max: 3 }),
  ladder: fc.subarray(['RestartPod', 'RolloutRestart', 'Rollback'] as const, { minLength: 1 }),
});
type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

const WINDOW_MS = 3_600_000;

function worldOf({ budget, most, ladder, replicas }: History): World {
  const remediation = {
    budget: { repairs: budget, windowSeconds: WINDOW_MS / 1_000 },
    minHealthySeconds: 60,
    maxConcurrentRepairs: most,
    ladder,
  };
  return new World({ remediation }, replicas);
}

function live(world: World, step: History['events'][number]): void {
  world.now += step.wait;
  world.lasting = step.lasting ?? world.lasting;
  if (step.spec !== null) {
    world.generation += 1;
    world.wanted = step.spec;
  }
  if (step.mode !== null) {
    world.generation += 1;
    world.mode = step.mode;
  }
  const hit = step.breaks === null ? undefined : world.alive[step.breaks];
  if (hit !== undefined) hit.brokenAt ??= world.now;
}

const underWay = (world: World): RepairRecord[] =>
  (world.status.repairs ?? []).filter((record) => record.outcome === undefined);

describe('over any history', () => {
  it('the budget and the limit hold, no serving pod is touched, no failure is acted on twice, no step goes back in time', () => {
    fc.assert(
      fc.property(history, (chosen) => {
        const world = worldOf(chosen);
        for (const step of chosen.events) {
          live(world, step);
          const before = world.actions.length;
          // who clears an exhaustion by a new generation gets a whole budget again
          const cleared = (step.spec !== null || step.mode !== null) && world.exhausted;
          if (cleared) world.actions.length = 0;
          world.look();
          const running = underWay(world);
          expect(running.length, 'repairs at once').toBeLessThanOrEqual(chosen.most);
          if (running.some((record) => record.action !== 'RestartPod'))
            expect(running.length, 'what moves all pods is alone').toBe(1);
          for (const action of world.actions.slice(cleared ? 0 : before)) {
            const target = action.pods.find((pod) => pod.uid === action.repair.pod.uid);
            expect(target?.brokenAt, 'a serving pod').not.toBeNull();
            expect(target?.ending, 'an ending pod').toBe(false);
            expect(world.mode, 'an action against the spec').toBe('Auto');
          }
          for (const record of world.status.repairs ?? []) {
            const times = record.steps.map((entry) => Date.parse(entry.at));
            expect(times, 'steps').toEqual(times.toSorted((a, b) => a - b));
          }
        }
        const restarts = world.actions.filter((action) => action.repair.action === 'RestartPod');
        const uids = restarts.map((action) => action.repair.pod.uid);
        expect(new Set(uids).size, 'one deletion a failure').toBe(uids.length);
        const counted = world.actions.filter((action) => action.repair.trigger !== 'Rollout');
        for (const { at } of counted) {
          const within = counted.filter((other) => other.at > at - WINDOW_MS && other.at <= at);
          expect(within.length, 'budget').toBeLessThanOrEqual(chosen.budget);
        }
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('ends in Serving or Exhausted once nothing new happens', () => {
    fc.assert(
      fc.property(history, (chosen) => {
        const world = worldOf(chosen);
        for (const step of chosen.events) {
          live(world, step);
          world.look();
        }
        world.mode = 'Auto';
        world.generation += 1;
        // what lasts goes on
        const settled = (): boolean => (world.serving && underWay(world).length === 0) || world.exhausted;
        for (let round = 0; round < 4_000 && !settled(); round += 1) {
          world.now += 2_000;
          world.look();
        }
        expect(settled(), JSON.stringify({ status: world.status, pods: world.pods })).toBe(true);
        // and nothing is written at rest: when the deadline of a rollout and the time that counts as healthy are over
        for (let round = 0; round < 400; round += 1) {
          world.now += 2_000;
          world.look();
        }
        const rest = structuredClone(world.status);
        world.now += 2_000;
        world.look();
        expect(world.status).toEqual(rest);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

/** Looks every two seconds until it holds, for at most two hours. */
function until(world: World, holds: () => boolean): void {
  for (let round = 0; round < 3_600 && !holds(); round += 1) {
    world.now += 2_000;
    world.look();
  }
  expect(holds(), JSON.stringify({ status: world.status, pods: world.pods })).toBe(true);
}

const twoPods = (): World =>
  worldOf({ events: [], budget: 20, most: 1, replicas: 2, ladder: ['RestartPod', 'RolloutRestart', 'Rollback'] });
const ask = (world: World, revision: string): void => {
  world.wanted = revision;
  world.generation += 1;
};
const rest = (world: World): boolean => world.serving && underWay(world).length === 0;
const taken = (world: World): string[] => world.actions.map(({ repair }) => `${repair.action} by ${repair.trigger}`);

describe('two pods that both fail', () => {
  const broken = (world: World): World => {
    for (const pod of world.alive) pod.brokenAt = world.now;
    return world;
  };

  it('are restarted one after the other, and that is all where it helps', () => {
    const world = broken(twoPods());
    until(world, () => rest(world));
    expect(taken(world)).toEqual(['RestartPod by Handshake', 'RestartPod by Handshake']);
  });

  it('are given up after the restart of all where their revision is the verified one', () => {
    const world = broken(twoPods());
    world.lasting = 'Always';
    until(world, () => world.exhausted);
    expect(world.status.remediation).toMatchObject({ exhaustedReason: 'LadderSpent' });
    expect(taken(world).at(-1)).toBe('RolloutRestart by Handshake');
    expect(taken(world).filter((action) => action.startsWith('RestartPod')).length).toBeLessThanOrEqual(4);
  });

  it('end up on the verified revision where theirs was never verified', () => {
    const world = twoPods();
    world.verifies = false;
    ask(world, 'r2');
    until(world, () => {
      const { current, servedAt } = world.status.revisions ?? {};
      return current === 'r2' && servedAt !== undefined;
    });
    world.lasting = 'Revision';
    broken(world);
    until(world, () => rest(world) && world.revision === 'r1');
    expect(taken(world).slice(-2)).toEqual(['RolloutRestart by Handshake', 'Rollback by Handshake']);
    expect(world.status.revisions).toMatchObject({ current: 'r1', verified: 'r1', rejected: [{ revision: 'r2' }] });
  });
});

describe('a spec that changes while the ladder is climbed', () => {
  it('is not taken back for pods of the verified revision that fail', () => {
    const world = twoPods();
    world.lasting = 'Always';
    for (const pod of world.alive) pod.brokenAt = world.now;
    until(world, () => world.actions.some(({ repair }) => repair.action === 'RolloutRestart'));
    ask(world, 'r2');
    until(world, () => world.exhausted);
    expect(taken(world).filter((action) => action === 'Rollback by Handshake')).toEqual([]);
    expect(world.status.revisions?.rejected?.filter(({ revision }) => revision === 'r1') ?? []).toEqual([]);
  });
});

describe('a revision that never passes', () => {
  const rejected = (): World => {
    const world = twoPods();
    world.lasting = 'Revision';
    ask(world, 'r2');
    until(world, () => world.actions.length > 0);
    return world;
  };

  it('is taken back at its deadline, without a restart and without a repair of the budget', () => {
    const world = rejected();
    const at = world.now;
    until(world, () => rest(world) && world.revision === 'r1');
    expect(taken(world)).toEqual(['Rollback by Rollout']);
    expect(Math.round((at - Date.parse('2026-11-24T10:00:00Z')) / 1_000)).toBeGreaterThanOrEqual(300);
    expect(world.status.remediation?.recent).toBeUndefined();
    expect(world.status.repairs).toMatchObject([{ action: 'Rollback', rolledBackTo: 'r1', outcome: 'Recovered' }]);
  });

  it('is not applied again before the spec changes', () => {
    const world = rejected();
    until(world, () => rest(world) && world.revision === 'r1');
    for (let round = 0; round < 500; round += 1) {
      world.now += 2_000;
      world.look();
      expect(world.revision).toBe('r1');
    }
    world.lasting = 'Never';
    ask(world, 'r2');
    until(world, () => rest(world) && world.status.revisions?.verified === 'r2');
    expect(world.status.revisions?.rejected).toBeUndefined();
  });

  it('gives way to a spec that changes before its deadline', () => {
    const world = twoPods();
    world.lasting = 'Revision';
    ask(world, 'r2');
    for (let round = 0; round < 20; round += 1) {
      world.now += 2_000;
      world.look();
    }
    ask(world, 'r3');
    until(world, () => rest(world) && world.revision === 'r3');
    expect(taken(world)).toEqual([]);
  });
});
