/** Random histories of pods that fail, recover and are replaced, against the promises that hold for all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../plan.ts';
import { handshakeOf, klingApiOf, podOf, reportOf, T0 } from '../testing.ts';
import { afterRepair } from './incident.ts';
import type { PodObservation } from './observation.ts';
import { beginRepair } from './record.ts';

interface World {
  now: number;
  /** Begin of the failure of each pod, null while it serves. */
  pods: { uid: string; createdAt: number; brokenAt: number | null; ending: boolean }[];
  next: number;
}

const observe = (world: World): PodObservation[] =>
  world.pods.map((pod) => {
    const failures = pod.brokenAt === null ? 0 : 1 + Math.floor((world.now - pod.brokenAt) / 5_000);
    const base = podOf({ name: `pod-${pod.uid}`, uid: pod.uid, createdAt: pod.createdAt, deleting: pod.ending });
    if (pod.brokenAt === null) return base;
    return {
      ...base,
      ready: { value: false, since: pod.brokenAt + 5_000 },
      probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures, failingSince: pod.brokenAt }),
      own: { last: handshakeOf('Failing', 'HttpError'), at: world.now, failures, failingSince: pod.brokenAt },
    };
  });

const event = fc.record({
  wait: fc.integer({ min: 100, max: 20_000 }),
  breaks: fc.option(fc.nat(3), { freq: 3 }),
  /** Whether the next replacement is born broken. */
  bornBroken: fc.boolean(),
});

describe('over any history', () => {
  it('the budget holds, one repair runs at a time, no serving pod is touched, no failure is repaired twice', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 20, maxLength: 200 }),
        fc.integer({ min: 1, max: 5 }),
        (events, budget) => {
          const world: World = {
            now: T0,
            pods: [0, 1].map((n) => ({ uid: `p${n}`, createdAt: T0 - 60_000, brokenAt: null, ending: false })),
            next: 2,
          };
          const spec = { remediation: { budget: { repairs: budget, windowSeconds: 3_600 }, minHealthySeconds: 60 } };
          let status: Record<string, unknown> = {};
          const deletions: { uid: string; at: number }[] = [];

          for (const step of events) {
            world.now += step.wait;
            const hit = step.breaks === null ? undefined : world.pods.filter((pod) => !pod.ending)[step.breaks];
            if (hit !== undefined && hit.brokenAt === null) hit.brokenAt = world.now;

            const klingApi = klingApiOf(spec, status);
            const made = plan(
              {
                klingApi,
                observations: observe(world),
                actor: 'me',
                takeVerification: () => ({ summary: '3/3', checks: [], at: new Date(world.now).toISOString() }),
              },
              world.now,
            );
            let { state, repairs } = made;
            const doomed = made.steps.flatMap(({ record, next }) => (next.kind === 'Delete' ? [record.podUid] : []));
            if (made.decision.kind === 'Exhausted')
              state = { ...state, exhaustedSince: new Date(world.now).toISOString(), exhaustedGeneration: 1 };
            if (made.decision.kind === 'Repair') {
              const target = made.decision.pod;
              state = afterRepair(state, klingApi.spec.remediation, world.now);
              repairs = [
                beginRepair(
                  {
                    pod: target,
                    pods: made.pods,
                    trigger: 'Handshake',
                    actor: 'me',
                    attempt: state.attempt ?? 1,
                    diagnosis: 'HttpError',
                    log: undefined,
                  },
                  world.now,
                ),
                ...repairs,
              ].slice(0, 10);
              doomed.push(target.uid);
            }
            expect(repairs.filter((record) => record.outcome === undefined).length).toBeLessThanOrEqual(1);
            for (const uid of doomed) {
              const pod = world.pods.find((entry) => entry.uid === uid);
              expect(pod?.brokenAt, 'only a broken pod is deleted').not.toBeNull();
              expect(
                deletions.map((entry) => entry.uid),
                'one deletion a failure',
              ).not.toContain(uid);
              deletions.push({ uid, at: world.now });
              if (pod !== undefined) pod.ending = true;
              const uidNew = `p${world.next++}`;
              world.pods = world.pods.filter((entry) => !entry.ending || entry.uid === uid);
              world.pods.push({
                uid: uidNew,
                createdAt: Math.floor(world.now / 1_000) * 1_000,
                brokenAt: step.bornBroken ? world.now : null,
                ending: false,
              });
            }
            for (const { at } of deletions) {
              expect(
                deletions.filter((entry) => entry.at > at - 3_600_000 && entry.at <= at).length,
              ).toBeLessThanOrEqual(budget);
            }
            status = { remediation: state, repairs };
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('ends in Serving or Exhausted when every replacement is born broken', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), (budget) => {
        const world: World = {
          now: T0,
          pods: [{ uid: 'p0', createdAt: T0 - 60_000, brokenAt: T0, ending: false }],
          next: 1,
        };
        let status: Record<string, unknown> = {};
        let repairsMade = 0;
        for (let round = 0; round < 5_000; round += 1) {
          world.now += 1_000;
          const klingApi = klingApiOf({ remediation: { budget: { repairs: budget, windowSeconds: 86_400 } } }, status);
          const made = plan(
            { klingApi, observations: observe(world), actor: 'me', takeVerification: () => undefined },
            world.now,
          );
          if (made.decision.kind === 'Exhausted') {
            expect(repairsMade).toBe(budget);
            return;
          }
          let { state, repairs } = made;
          if (made.decision.kind === 'Repair') {
            repairsMade += 1;
            state = afterRepair(state, klingApi.spec.remediation, world.now);
            repairs = [
              beginRepair(
                {
                  pod: made.decision.pod,
                  pods: made.pods,
                  trigger: 'Handshake',
                  actor: 'me',
                  attempt: 1,
                  diagnosis: 'HttpError',
                  log: undefined,
                },
                world.now,
              ),
              ...repairs,
            ].slice(0, 10);
            world.pods = [
              {
                uid: `p${world.next++}`,
                createdAt: Math.floor(world.now / 1_000) * 1_000,
                brokenAt: world.now,
                ending: false,
              },
            ];
          }
          status = { remediation: state, repairs };
        }
        throw new Error('neither Serving nor Exhausted after 5,000 s');
      }),
      { numRuns: 20 },
    );
  });
});
