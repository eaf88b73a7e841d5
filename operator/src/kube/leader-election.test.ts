import fc from 'fast-check';
import { Registry } from 'prom-client';
import { beforeEach, expect, test } from 'vitest';
import { createManualClock, type ManualClock, settle } from './clock.testing.ts';
import { createLeaderElection, type LeaderElection, type LeaderElectionOptions } from './leader-election.ts';
import { microTime } from './lease.ts';
import { silentLog } from './log.ts';
import { createKubeMetrics } from './metrics.ts';
import { createLeaseServer, type LeaseServer } from './testing/lease-server.ts';

type Fault = 'hang' | 'fail' | 'lose' | null;

let clock: ManualClock;
let server: LeaseServer;
let told: string[];

beforeEach(() => {
  clock = createManualClock();
  server = createLeaseServer(clock);
  told = [];
});

interface Candidate extends LeaderElection {
  fault: Fault;
}

function candidate(identity: string, options: Partial<LeaderElectionOptions> = {}): Candidate {
  const state: { fault: Fault } = { fault: null };
  const election = createLeaderElection({
    client: server.client(() => state.fault),
    namespace: 'kling-system',
    name: 'kling-operator',
    identity,
    clock,
    random: () => 0.5,
    log: silentLog,
    onStarted: () => told.push(`${identity} leads`),
    onLost: (reason) => told.push(`${identity} lost: ${reason}`),
    ...options,
  });
  return Object.assign(state, election);
}

test('the first one takes a Lease that is not there, and renews it', async () => {
  const registry = new Registry();
  const a = candidate('a', { metrics: createKubeMetrics(registry) });
  // an operator without election, which nobody is to be warned of
  expect(await registry.metrics()).not.toContain('leader_election_master_status{');
  a.start();
  await clock.advance(0);
  expect(told).toEqual(['a leads']);
  expect(server.spec()).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-11-24T10:00:00.000000Z',
    renewTime: '2026-11-24T10:00:00.000000Z',
    leaseTransitions: 0,
  });
  expect(await registry.metrics()).toContain('leader_election_master_status{name="kling-operator"} 1');
  await clock.advance(60_000);
  expect(server.spec()).toMatchObject({
    renewTime: '2026-11-24T10:01:00.000000Z',
    acquireTime: '2026-11-24T10:00:00.000000Z',
  });
  expect(a.isLeader()).toBe(true);
  await a.stop();
  expect(await registry.metrics()).toContain('leader_election_master_status{name="kling-operator"} 0');
});

test('a second one waits, and takes over within a second of a release', async () => {
  const [a, b] = [candidate('a'), candidate('b')];
  a.start();
  await clock.advance(0);
  b.start();
  await clock.advance(60_000);
  expect(told).toEqual(['a leads']);
  expect(b.holder()).toBe('a');
  await a.stop();
  expect(server.spec()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  await clock.advance(1_000);
  expect(told).toEqual(['a leads', 'b leads']);
  expect(server.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  await b.stop();
});

test('a holder that vanished is waited out, by our own clock and not by its record', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(0);
  a.fault = 'hang';
  await clock.advance(11_000);
  // its clock is an hour behind ours: the record looks ancient at first sight
  const client = server.client();
  const found = await client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'x' });
  await client.replace({
    ...found,
    spec: { ...server.spec(), renewTime: microTime(clock.now() - 3_600_000) },
  } as never);
  told.length = 0;
  const b = candidate('b');
  b.start();
  await clock.advance(14_900);
  expect(told).toEqual([]);
  await clock.advance(1_100);
  expect(told).toEqual(['b leads']);
  await b.stop();
});

test('a call that hangs does not outlast the renew deadline', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(2_000);
  const renewedAt = clock.now();
  a.fault = 'hang';
  await clock.advance(9_999);
  expect(told).toEqual(['a leads']);
  expect(a.isLeader()).toBe(true);
  await clock.advance(1);
  expect(told).toEqual(['a leads', 'a lost: Lease was not renewed for 10 s']);
  expect(clock.now() - renewedAt).toBe(10_000);
  expect(a.isLeader()).toBe(false);
  await clock.advance(60_000);
  expect(told).toHaveLength(2);
  await a.stop();
});

test.each([3_600_000, -3_600_000])('a wall clock that is set by %i ms changes nothing for either', async (ms) => {
  const [a, b] = [candidate('a'), candidate('b')];
  a.start();
  await clock.advance(0);
  b.start();
  await clock.advance(10_000);
  clock.jump(ms);
  await clock.advance(60_000);
  expect(told).toEqual(['a leads']);
  expect(a.isLeader()).toBe(true);
  // nor does it lengthen the wait for a holder that has gone
  a.fault = 'hang';
  await clock.advance(5_000);
  clock.jump(-ms);
  await clock.advance(15_000);
  expect(told).toEqual(['a leads', 'a lost: Lease was not renewed for 10 s', 'b leads']);
  await Promise.all([a.stop(), b.stop()]);
});

test('a process that stood still for long does not take itself for the leader when it goes on', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(2_000);
  // no timer has fired yet: as after SIGCONT, or a virtual machine that was moved
  clock.freeze(60_000);
  expect(a.isLeader()).toBe(false);
  await a.stop();
});

test('one hung or failed call is survived', async () => {
  for (const fault of ['hang', 'fail', 'lose'] as const) {
    server.remove();
    told = [];
    const a = candidate('a');
    a.start();
    await clock.advance(2_000);
    a.fault = fault;
    await clock.advance(4_000);
    a.fault = null;
    await clock.advance(60_000);
    expect(told).toEqual(['a leads']);
    expect(a.isLeader()).toBe(true);
    await a.stop();
  }
});

test('a Lease that another took is lost at the next look', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(0);
  const client = server.client();
  const found = await client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: 'x' });
  await client.replace({ ...found, spec: { ...server.spec(), holderIdentity: 'thief' } } as never);
  await clock.advance(2_000);
  expect(told).toEqual(['a leads', 'a lost: Lease was taken by thief']);
  await a.stop();
  expect(server.spec()).toMatchObject({ holderIdentity: 'thief' });
});

test('a Lease that was deleted is made anew by its holder', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(0);
  server.remove();
  await clock.advance(4_000);
  expect(server.spec()).toMatchObject({ holderIdentity: 'a' });
  expect(told).toEqual(['a leads']);
  await a.stop();
});

test('a renewal that was cut off by the end but arrived does not keep the Lease', async () => {
  const a = candidate('a');
  a.start();
  await clock.advance(0);
  a.fault = 'lose';
  await clock.advance(2_000);
  const stopped = a.stop();
  a.fault = null;
  await settle();
  await stopped;
  expect(server.spec()).toMatchObject({ holderIdentity: '' });
});

test('settings that contradict each other are refused', () => {
  expect(() => candidate('a', { leaseDurationMs: 10_000 })).toThrow(RangeError);
  expect(() => candidate('a', { renewDeadlineMs: 2_000 })).toThrow(RangeError);
});

test('however the calls of three processes fail, no two lead at once', async () => {
  const faults = fc.constantFrom<Fault>(null, null, null, 'hang', 'fail', 'lose');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(2), faults, fc.nat(9_000)), { maxLength: 25 }), async (steps) => {
      clock = createManualClock();
      server = createLeaseServer(clock);
      told = [];
      const all = ['a', 'b', 'c'].map((identity) => candidate(identity));
      for (const one of all) one.start();
      for (const [index, fault, ms] of steps) {
        all[index]!.fault = fault;
        for (let passed = 0; passed < ms; passed += 500) {
          await clock.advance(Math.min(500, ms - passed));
          expect(all.filter((one) => one.isLeader()).length).toBeLessThanOrEqual(1);
        }
      }
      for (const one of all) one.fault = null;
      await Promise.all(all.map((one) => one.stop()));
    }),
    { numRuns: 25 },
  );
});
