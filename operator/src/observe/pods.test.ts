/** What the observer makes of a pod's own reports, whatever the clock of its node says. */
import type { ProbeReport } from '@klingapi/probe';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { handshakeOf, klingApiOf, reportOf, T0 } from '../testing.ts';
import { createPodObserver } from './pods.ts';

const pod: V1Pod = {
  metadata: { name: 'studio-mcp-1', uid: 'uid-1' },
  status: {
    podIP: '198.18.0.5',
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: new Date(T0) }],
    containerStatuses: [
      {
        name: 'mcp',
        image: 'm',
        imageID: 'm',
        ready: false,
        restartCount: 0,
        state: { running: { startedAt: new Date(T0 - 3_600_000) } },
      },
    ],
  },
};

/** A pod whose node's clock is `skewMs` ahead of the operator's, and that failed first at T0 - 12 s. */
function pair(skewMs: number) {
  const world = { now: T0, at: T0 - 2_000, handshakes: 100 };
  const report = (): ProbeReport => ({
    ...reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 3, failingSince: T0 - 12_000 + skewMs }),
    at: new Date(world.at + skewMs).toISOString(),
    handshakes: world.handshakes,
  });
  const observer = createPodObserver({
    handshake: async () => handshakeOf('Failing', 'HttpError'),
    fetch: async () => Response.json(report()),
    now: () => world.now,
  });
  const look = async () => (await observer.observe(klingApiOf(), [pod], {}))[0]?.probe ?? null;
  return { world, look };
}

describe.each([0, -3_600_000, 3_600_000])('with the clock of the node %d ms ahead', (skewMs) => {
  it('a failure is as old as the report says', async () => {
    const { world, look } = pair(skewMs);
    expect((await look())?.failingSince).toBe(new Date(T0 - 10_000).toISOString());
    world.now += 3_000;
    expect((await look())?.failingSince, 'the same report speaks of the same time').toBe(
      new Date(T0 - 10_000).toISOString(),
    );
  });

  it('a report counts until none has followed it for three periods', async () => {
    const { world, look } = pair(skewMs);
    expect(await look()).not.toBeNull();
    world.now += 18_000;
    expect(await look()).not.toBeNull();
    world.now += 2_001;
    expect(await look()).toBeNull();
    world.now += 2_000;
    world.at = world.now;
    world.handshakes += 1;
    expect(await look()).not.toBeNull();
  });
});

it('tells of each look what both observers saw, and of no report that is too old to count', async () => {
  const world = { now: T0, report: reportOf({ verdict: 'Serving' }) as ProbeReport | null };
  const looks: unknown[] = [];
  const observer = createPodObserver({
    handshake: async () => handshakeOf('Failing', 'HttpError'),
    fetch: async () => Response.json(world.report),
    now: () => world.now,
    onLook: (klingApi, seen, own, probe) =>
      looks.push([klingApi.metadata.name, seen.name, seen.uid, own.verdict, probe?.verdict ?? null]),
  });
  const look = () => observer.observe(klingApiOf(), [pod], {});
  await look();
  await look();
  expect(looks, 'a look that asked nothing is none').toEqual([
    ['studio', 'studio-mcp-1', 'uid-1', 'Failing', 'Serving'],
  ]);
  world.now += 60_000;
  world.report = null;
  await look();
  expect(looks[1]).toEqual(['studio', 'studio-mcp-1', 'uid-1', 'Failing', null]);
});

it('takes what is no time for none', async () => {
  const observer = createPodObserver({
    handshake: async () => handshakeOf('Failing', 'HttpError'),
    fetch: async () =>
      Response.json({ ...reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 3 }), failingSince: 'soon' }),
    now: () => T0,
  });
  const [seen] = await observer.observe(klingApiOf(), [pod], {});
  expect(seen?.probe).toMatchObject({ verdict: 'Failing', failingSince: null });
});

it('remembers when the container last served, and the one before it', async () => {
  const world = { now: T0, verdict: 'Serving' as 'Serving' | 'Unreachable' };
  const observer = createPodObserver({
    handshake: async () => handshakeOf(world.verdict),
    fetch: async () => Response.json(null),
    now: () => world.now,
  });
  const started = (ago: number): V1Pod => {
    const copy = structuredClone(pod);
    copy.status!.containerStatuses![0]!.state = { running: { startedAt: new Date(T0 - ago) } };
    return copy;
  };
  const look = async (live: V1Pod) => {
    const [seen] = await observer.observe(klingApiOf(), [live], {});
    return { now: seen?.servedAt, before: seen?.servedBefore };
  };
  expect(await look(started(3_600_000))).toEqual({ now: T0, before: null });
  world.now += 60_000;
  world.verdict = 'Unreachable';
  expect(await look(started(3_600_000)), 'of the same container').toEqual({ now: T0, before: null });
  world.now += 60_000;
  expect(await look(started(-120_000))).toEqual({ now: null, before: T0 });
  world.now += 60_000;
  expect(await look(started(-180_000)), 'the one in between never served').toEqual({ now: null, before: T0 });
});

it('looks at the siblings of a pod that has just begun to fail, and a while later no more than usual', async () => {
  const world = { now: T0, asked: [] as string[] };
  const ready = (name: string, podIP: string): V1Pod => ({
    metadata: { name, uid: name },
    status: {
      podIP,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date(T0 - 60_000) }],
      containerStatuses: [{ ...pod.status!.containerStatuses![0]!, ready: true }],
    },
  });
  const pods = [ready('broken', '198.18.0.5'), ready('sibling', '198.18.0.6')];
  let broken = false;
  const observer = createPodObserver({
    handshake: async ({ url }) => {
      const { hostname } = new URL(url);
      world.asked.push(hostname);
      return broken && hostname === '198.18.0.5' ? handshakeOf('Failing', 'HttpError') : handshakeOf('Serving');
    },
    fetch: async () => Response.json(reportOf({ verdict: 'Serving' })),
    now: () => world.now,
  });
  const look = async (afterMs: number): Promise<string[]> => {
    world.now += afterMs;
    world.asked = [];
    await observer.observe(klingApiOf(), pods, {});
    return world.asked;
  };
  await look(0);
  broken = true;
  expect(await look(31_000)).toEqual(['198.18.0.5', '198.18.0.6']);
  expect(await look(2_000)).toEqual(['198.18.0.5', '198.18.0.6']);
  await look(60_000);
  expect(await look(2_000)).toEqual(['198.18.0.5']);
});
