/** Which revision a verification speaks of. */
import { expect, it } from 'vitest';
import type { Plan } from '../plan.ts';
import { klingApiOf } from '../testing.ts';
import { createVerifier, type FollowInput, type VerifierDeps } from './verifier.ts';

/** @returns the revisions that checks were started for after a repair */
function started(rollingOut: boolean): (string | undefined)[] {
  const revisions: (string | undefined)[] = [];
  const jobs = {
    start: (_uid: string, _subject: string, of: { revision?: string }) => void revisions.push(of.revision),
    result: () => undefined,
  };
  const plan = { settled: [], repairs: [], steps: [{ record: { id: 'repair' }, next: { kind: 'Verify' } }] };
  createVerifier({ jobs, now: () => 0 } as unknown as VerifierDeps).follow(klingApiOf(), {
    plan: plan as unknown as Plan,
    revision: 'new',
    workloads: { mcp: { ready: 1, wanted: 1, rollingOut, refused: null } } as FollowInput['workloads'],
    internalKey: 'k',
  });
  return revisions;
}

it('of a repair speaks of the applied revision', () => {
  expect(started(false)).toEqual(['new']);
});

it('of a repair beside a rollout speaks of none: pods of the revision before may have answered', () => {
  expect(started(true)).toEqual([undefined]);
});
