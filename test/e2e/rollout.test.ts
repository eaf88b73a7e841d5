/** A revision of the MCP workload that never speaks MCP: it takes no traffic, is told apart, and is taken back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive, type Case, condition, createCase, podIsReady, quick } from './case.ts';
import { faulty } from './faults.ts';
import { getJson, type Json } from './kubectl.ts';
import { waitFor } from './wait.ts';
import { watch } from './watcher.ts';

let kase: Case;
let first: Json;
const fast = { periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 3, startupGraceSeconds: 20 };
const spec = (mcp: Record<string, unknown>): Record<string, unknown> =>
  quick({ ...faulty, handshake: fast, ...mcp }, { rollout: { deadlineSeconds: 30 } });
const uids = async (): Promise<string[]> => alive(await kase.mcpPods()).map((pod) => pod.metadata.uid);

beforeAll(async () => {
  kase = await createCase('rollout');
  await kase.apply(spec({}));
  first = await kase.ready();
});
afterAll(() => kase?.remove());

const rolledBack = (reason: string): Promise<Json> =>
  waitFor(
    async () => {
      const object = await kase.klingApi();
      const { repairs = [], revisions } = object.status;
      const [newest] = repairs;
      const stalled = condition(object, 'Stalled');
      if (
        stalled?.reason === 'RolledBack' &&
        revisions.rejected?.[0]?.reason === reason &&
        newest?.action === 'Rollback' &&
        newest.outcome !== undefined
      )
        return object;
      throw new Error(JSON.stringify({ stalled, revisions, repairs, pods: object.status.mcp.pods }));
    },
    { what: `the revision to be taken back for ${reason}`, timeoutMs: 150_000, everyMs: 1_000 },
  );

describe('a revision that never passes its handshake', () => {
  it.each([
    ['an image that cannot be had', { image: 'localhost/nothing-here:1' }, 'ImagePull'],
    ['a server that answers HTTP 500', { env: [{ name: 'FAULT', value: '500' }] }, 'HttpError'],
  ])('%s', async (_, mcp, reason) => {
    const before = await uids();
    const service = await getJson(['get', 'service', 'studio-mcp', '-n', kase.namespace]);
    const client = watch({
      url: `http://${service.spec.clusterIP}:5510/mcp/v1`,
      hostHeader: `studio-mcp.${kase.namespace}.svc:5510`,
      key: await kase.callerKey(),
    });
    await kase.apply(spec(mcp));
    await waitFor(
      async () => {
        const object = await kase.klingApi();
        return condition(object, 'Reconciling')?.reason === 'OnTrial' && object;
      },
      { what: 'the new revision to be on trial', timeoutMs: 60_000, everyMs: 500 },
    );
    const object = await rolledBack(reason);
    const samples = await client.stop();

    expect(
      samples.filter((sample) => !sample.ok),
      'requests that failed',
    ).toEqual([]);
    expect((await uids()).toSorted(), 'the pods that serve are the ones from before').toEqual(before.toSorted());
    expect(condition(object, 'Ready')).toMatchObject({ status: 'True' });
    expect(condition(object, 'Accepted')).toMatchObject({ status: 'True' });
    expect(object.spec.mcp, 'the spec stays as the user left it').toMatchObject(mcp);
    const { revisions, repairs, remediation } = object.status;
    expect(revisions).toMatchObject({
      current: first.status.revisions.current,
      verified: first.status.revisions.current,
    });
    expect(repairs[0]).toMatchObject({ trigger: 'Rollout', outcome: 'Recovered', rolledBackTo: revisions.verified });
    expect(remediation?.recent, 'it costs no repair').toBeUndefined();

    await kase.apply(spec({}));
    const mended = await waitFor(
      async () => {
        const now = await kase.klingApi();
        return condition(now, 'Stalled') === undefined && condition(now, 'Ready')?.status === 'True' && now;
      },
      { what: 'the mended spec to be taken up', timeoutMs: 60_000 },
    );
    expect(mended.status.revisions.rejected).toBeUndefined();
  });

  it('gives way to a spec that is mended while it rolls', async () => {
    const before = await kase.klingApi();
    await kase.apply(spec({ env: [{ name: 'FAULT', value: 'garbage' }] }));
    await waitFor(async () => (await kase.mcpPods()).some((pod) => !podIsReady(pod)), {
      what: 'a pod of the broken revision',
    });
    await kase.apply(spec({ env: [{ name: 'HELLO', value: 'world' }] }));
    const done = await waitFor(
      async () => {
        const { revisions } = (await kase.klingApi()).status;
        return (
          revisions.verified === revisions.current && revisions.current !== before.status.revisions.current && revisions
        );
      },
      { what: 'the mended revision to be verified', timeoutMs: 120_000 },
    );
    expect(done.rejected).toBeUndefined();
    expect((await kase.klingApi()).status.repairsTotal).toBe(before.status.repairsTotal);
    await waitFor(
      async () => {
        const kept = await getJson([
          'get',
          'controllerrevisions',
          '-n',
          kase.namespace,
          '-l',
          'klingapi.dev/name=studio,app.kubernetes.io/component=mcp',
        ]);
        expect(kept.items.map((item: Json) => item.metadata.labels['klingapi.dev/revision'])).toEqual([done.current]);
        return true;
      },
      { what: 'the templates of other revisions to be dropped', timeoutMs: 60_000 },
    );
  });
});
