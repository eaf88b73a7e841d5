/** Which revision a verification speaks of, and who may ask for one. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../plan.ts';
import { iso } from '../remediation/time.ts';
import { VERIFY_ANNOTATION } from '../resource/klingapi.ts';
import { handshakeOf, klingApiOf, T0 } from '../testing.ts';
import { createVerificationJobs } from './jobs.ts';
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

describe('a value of the annotation klingapi.dev/verify', () => {
  /** @returns what one look starts, and the verification it gives to the status */
  const look = (
    request: string | undefined,
    known: Record<string, unknown> | undefined,
    jobs = createVerificationJobs(
      () => T0,
      () => {},
    ),
  ) => {
    const klingApi = klingApiOf({}, known === undefined ? {} : { verification: known });
    const annotated = {
      ...klingApi,
      metadata: {
        ...klingApi.metadata,
        ...(request === undefined ? {} : { annotations: { [VERIFY_ANNOTATION]: request } }),
      },
    };
    const begun: object[] = [];
    const watched = {
      ...jobs,
      start(...[uid, subject, of, run]: Parameters<typeof jobs.start>) {
        begun.push({ ...of });
        jobs.start(uid, subject, of, run);
      },
    };
    const plan = { settled: [], repairs: [], steps: [] };
    const secrets = { read: async () => undefined };
    const verifier = createVerifier({
      ...{ jobs: watched, secrets, now: () => T0, pause: async () => {} },
      fetch: () => Promise.reject(new Error('nobody is there')),
      handshake: async () => handshakeOf('Unreachable', 'ConnectionRefused'),
    } as unknown as VerifierDeps);
    const newest = verifier.follow(annotated, {
      plan: plan as unknown as Plan,
      revision: 'r1',
      workloads: {
        mcp: { ready: 0, wanted: 1, rollingOut: false, refused: null },
        api: { ready: 0, wanted: 1, rollingOut: false, refused: null },
        sandbox: { ready: 0, wanted: 1, rollingOut: false, refused: null },
      } as FollowInput['workloads'],
      internalKey: 'k'.repeat(32),
    });
    return { begun, newest };
  };
  const known = {
    summary: '3/3',
    checks: [],
    at: iso(T0 - 1_000),
    revision: 'r1',
    upstream: 'http://studio-sandbox:5512',
  };

  it('asks for the checks also where no pod is ready, and they carry it', () => {
    expect(look(undefined, known).begun).toEqual([]);
    expect(look('now', known).begun).toMatchObject([{ revision: 'r1', request: 'now' }]);
  });

  it('is answered once', async () => {
    expect(look('now', { ...known, request: 'now' }).begun).toEqual([]);
    const done = Promise.withResolvers<void>();
    const jobs = createVerificationJobs(
      () => T0,
      () => done.resolve(),
    );
    look('now', known, jobs);
    await done.promise;
    const { begun, newest } = look('now', known, jobs);
    expect(begun).toEqual([]);
    expect(newest).toMatchObject({ request: 'now', checks: [{ name: 'ApiHealth', result: 'Failed' }, {}, {}] });
    // a CRD of an earlier version drops the field: then memory says that it was answered
    const { request: _, ...dropped } = newest!;
    expect(look('now', { ...dropped, at: iso(T0) }, jobs).begun).toEqual([]);
    expect(look('again', { ...dropped, at: iso(T0) }, jobs).begun).toHaveLength(1);
  });
});
