/** Whatever goes wrong around it, a look says so in the status and goes on with the repair. */

import type { Logger } from '@klingapi/management';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { type Announce, createAnnounce } from './announce.ts';
import { createSecrets } from './apply/secrets.ts';
import type { Context } from './context.ts';
import { createLiveDefinition } from './definition/live.ts';
import { createManualClock } from './kube/clock.testing.ts';
import { KubeError } from './kube/errors.ts';
import type { EventRecorder } from './kube/events.ts';
import { silentLog } from './kube/log.ts';
import { reconcile } from './reconcile.ts';
import type { PodObservation } from './remediation/observation.ts';
import { SIGNATURES } from './remediation/signatures.ts';
import type { Exposure, KlingApiStatus, RepairRecord } from './resource/status.ts';
import { createStatusWriter } from './status/write.ts';
import { earlierRepair, handshakeOf, klingApiOf, podOf, reportOf, T0 } from './testing.ts';
import { OFF } from './tracing/trace.ts';

const broken = podOf({
  probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 9, failingSince: T0 - 60_000 }),
  own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 9, failingSince: T0 - 60_000 },
});

interface World {
  spec?: Record<string, unknown>;
  repairs?: RepairRecord[];
  pods?: PodObservation[];
  /** What the API server answers to each apply of a child. */
  child?: KubeError;
  deletion?: KubeError;
  /** Lines of the container's log by their age in seconds. */
  log?: [number, string][];
  secretKey?: string;
  secretError?: KubeError;
  /** What the public URL shows. */
  exposure?: Exposure;
  /** Whether the definition in the cluster is from before `status.exposure`. */
  older?: boolean;
}

function world({
  spec = {},
  repairs = [],
  pods = [podOf()],
  child,
  deletion,
  log = [],
  secretKey = 'k'.repeat(43),
  secretError,
  exposure,
  older = false,
}: World) {
  const seen = {
    statuses: [] as KlingApiStatus[],
    deleted: [] as string[],
    begun: [] as (string | undefined)[],
    notes: [] as string[],
    order: [] as string[],
  };
  const klingApi = klingApiOf(spec, { repairs });
  const live: V1Pod[] = pods.map(({ name, uid, podIP }) => ({
    metadata: { name, uid },
    status: { podIP: podIP ?? '' },
  }));
  const client = {
    async apply(object: { status: KlingApiStatus }) {
      if (older && object.status.exposure !== undefined)
        throw answer(500, 'ServerError', '.status.exposure: field not declared in schema');
      seen.statuses.push(object.status);
      return object;
    },
    async delete(ref: { name: string }) {
      if (deletion !== undefined) throw deletion;
      seen.deleted.push(ref.name);
      seen.order.push('delete');
    },
    podLog: async ({ sinceSeconds = Number.POSITIVE_INFINITY }) =>
      log.flatMap(([age, line]) => (age <= sinceSeconds ? [line] : [])).join('\n'),
    async get(ref: { name: string; namespace: string }) {
      if (secretError !== undefined) throw secretError;
      const labels = { 'app.kubernetes.io/managed-by': 'kling-operator', 'klingapi.dev/name': 'studio' };
      return {
        metadata: { name: ref.name, namespace: ref.namespace, labels },
        data: { key: Buffer.from(secretKey).toString('base64') },
      };
    },
  };
  const quiet = () => {};
  const announce = createAnnounce(
    { event: ({ note }: { note: string }) => seen.notes.push(note) } as unknown as EventRecorder,
    {
      info: quiet,
      warn: quiet,
    } as unknown as Logger,
  );
  const definition = createLiveDefinition({
    client: { openApi: () => Promise.reject(new Error('nobody may read it')) },
    onLook: quiet,
    onTurn: quiet,
    clock: createManualClock(),
    log: silentLog,
  });
  const deps = {
    client,
    caches: {
      klingApi: () => klingApi,
      child: () => undefined,
      mcpPods: () => live,
      apiPods: () => [],
      serves: () => false,
      revisions: () => [],
    },
    turns: { take: () => true, done: quiet, forget: quiet },
    storm: () => null,
    applier: {
      async apply(object: object) {
        if (child !== undefined) throw child;
        return { object, outcome: 'Unchanged' };
      },
    },
    secrets: createSecrets(
      client as unknown as Context['client'],
      () => T0,
      () => 0,
    ),
    observer: { observe: async () => pods, stillFails: async () => true },
    verifier: { take: () => undefined, follow: () => undefined },
    exposure: { follow: () => exposure, forget: quiet },
    pace: { wrote: () => void seen.order.push('write') },
    trace: OFF.trace,
    async together<T>(writes: () => Promise<T>) {
      seen.order.push('begin');
      return writes().finally(() => seen.order.push('end'));
    },
    statuses: createStatusWriter(client as unknown as Context['client'], definition),
    definition,
    announce: (...[object, status, plan, acts]: Parameters<Announce>) => {
      seen.begun.push(acts.begun?.pod);
      announce(object, status, plan, acts);
    },
    metrics: { observe: quiet, forget: quiet },
    log: { info: quiet, warn: quiet, error: quiet },
    images: { mcp: 'm', api: 'a', sandbox: 's', probe: 'p', pullPolicy: 'IfNotPresent', pullSecrets: [] },
    operator: { namespace: 'kling-system', labels: { 'app.kubernetes.io/name': 'kling-operator' } },
    signatures: SIGNATURES,
    actor: 'me',
    now: () => T0,
  } as unknown as Context;
  const look = () => reconcile({ namespace: 'media', name: 'studio' }, new AbortController().signal, deps);
  const condition = (type: string) => seen.statuses.at(-1)?.conditions?.find((entry) => entry.type === type);
  return { seen, look, condition };
}

const answer = (status: number, code: KubeError['code'], message = 'no') => new KubeError({ code, status, message });

describe('a look', () => {
  it('repairs although a child cannot be applied, and says so', async () => {
    const { seen, look, condition } = world({
      pods: [broken],
      child: answer(500, 'ServerError', 'failed calling webhook: read tcp 10.0.0.1:41234'),
    });
    expect(await look()).toEqual({ requeueAfterMs: 5_000 });
    expect(seen.deleted).toEqual([broken.name]);
    expect(condition('Degraded')).toBeDefined();
    expect(condition('Stalled')).toBeUndefined();

    const calm = world({ child: answer(500, 'ServerError', 'failed calling webhook: read tcp 10.0.0.1:41234') });
    await calm.look();
    expect(calm.condition('Reconciling')).toMatchObject({ reason: 'ApplyFailed' });
    expect(calm.condition('Reconciling')?.message).not.toContain('41234');
  });

  it('writes its record and deletes within what the end of the process waits for, and tells that it wrote', async () => {
    const { seen, look } = world({ pods: [broken] });
    await look();
    expect(seen.order).toEqual(['begin', 'write', 'delete', 'end']);
  });

  it('looks again soon at a pod that serves and that the kubelet has not found ready', async () => {
    expect(await world({}).look()).toEqual({ requeueAfterMs: 30_000, priority: 'low' });
    const { look } = world({ pods: [podOf({ ready: { value: false, since: T0 - 5_000 } })] });
    expect(await look()).toEqual({ requeueAfterMs: 1_000 });
  });

  it('is overtaken by a conflict, as ever', async () => {
    const { seen, look } = world({ child: answer(409, 'Conflict') });
    await expect(look()).rejects.toThrow(KubeError);
    expect(seen.statuses).toEqual([]);
  });

  it('tells of an internal Secret whose key is too short', async () => {
    const { look, condition } = world({ secretKey: 'short' });
    await look();
    expect(condition('Stalled')).toMatchObject({ reason: 'InternalSecretBroken' });
  });

  it('tells of a Secret that it may not read', async () => {
    const { look, condition } = world({
      secretError: answer(403, 'Forbidden', 'secrets "studio-internal" is forbidden'),
    });
    await look();
    expect(condition('Stalled')).toMatchObject({ reason: 'Forbidden' });
  });

  it('tells of a key that the Secret of the upstream lacks, and looks again soon', async () => {
    const upstream = { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
    const { look, condition } = world({ spec: { upstream } });
    expect(await look()).toEqual({ requeueAfterMs: 5_000 });
    expect(condition('Accepted')).toMatchObject({ status: 'True' });
    expect(condition('Reconciling')).toMatchObject({
      reason: 'MissingSecret',
      message: expect.stringContaining('Secret kling has no key "apiKey"'),
    });
  });

  it('takes for evidence what was logged around the failure, and no memory that a running process wanted for its cause', async () => {
    const repaired = async (log: [number, string][]) => {
      const { seen, look } = world({ pods: [broken], log });
      await look();
      return seen.statuses.at(-1)?.repairs?.[0];
    };
    const old = await repaired([[121, 'RuntimeError: Task group is not initialized. Make sure to use run().']]);
    expect([old?.diagnosis, old?.evidence.log]).toEqual(['HttpError', undefined]);
    const recent = await repaired([[119, 'RuntimeError: Task group is not initialized. Make sure to use run().']]);
    expect(recent?.diagnosis).toBe('SessionManagerDown');
    const memory = await repaired([[90, 'MemoryError']]);
    expect([memory?.diagnosis, memory?.evidence.log]).toEqual(['HttpError', 'MemoryError']);
  });

  it('says of a fault that came back that restarting does not help, and what was asked before it', async () => {
    const repairs = [earlierRepair({ replacement: broken.name, servedAt: T0 - 70_000 })];
    const log: [number, string][] = [
      [70, 'INFO:     127.0.0.1:45842 - "POST /mcp/v1/ HTTP/1.1" 200 OK'],
      [69, 'ERROR:      + Exception Group Traceback (most recent call last):'],
    ];
    const { seen, look } = world({ pods: [broken], repairs, log });
    await look();
    const message =
      'HttpError came back 10 s after the repair of studio-mcp-0: its cause is one that restarting does not remove; the last request before it was POST /mcp/v1/ (HTTP 200)';
    expect(seen.statuses.at(-1)?.repairs?.[0]?.recurrence).toEqual({ times: 1, message });
    expect(seen.notes.join()).toContain(message);
  });

  it('tells once in each process of what is wrong, also of what an earlier one wrote down', async () => {
    const stuck = podOf({
      container: { ...podOf().container, state: 'Waiting', startedAt: null, reason: 'ImagePullBackOff', message: 'no' },
    });
    const { seen, look } = world({ pods: [stuck] });
    await look();
    await look();
    expect(seen.notes.filter((note) => note === `${stuck.name}: no`)).toHaveLength(1);
  });

  it('tells of a public URL that fails, and repairs nothing because of it', async () => {
    const exposure: Exposure = {
      url: 'https://kling.example/mcp/v1',
      result: 'Failed',
      reason: 'HttpError',
      message: 'POST https://kling.example/mcp/v1 answered HTTP 502',
      since: new Date(T0).toISOString(),
    };
    const { seen, look, condition } = world({ spec: { expose: { url: 'https://kling.example' } }, exposure });
    await look();
    expect(seen.statuses.at(-1)?.exposure).toEqual(exposure);
    expect(condition('Exposed')).toMatchObject({ status: 'False', reason: 'HttpError', message: exposure.message });
    expect(condition('Degraded')).toBeUndefined();
    expect(seen.notes.filter((note) => note === exposure.message)).toHaveLength(1);
    expect([seen.deleted, seen.begun]).toEqual([[], [undefined]]);
  });

  it('repairs under a definition that is older than the operator, and says so from the next look on', async () => {
    const exposure: Exposure = {
      url: 'https://kling.example/mcp/v1',
      result: 'Passed',
      reason: 'HandshakePassed',
      message: 'it was asked',
      since: new Date(T0).toISOString(),
    };
    const { seen, look, condition } = world({
      spec: { expose: { url: 'https://kling.example' } },
      pods: [broken],
      exposure,
      older: true,
    });
    await look();
    expect(seen.deleted).toEqual([broken.name]);
    expect(seen.statuses).toHaveLength(1);
    expect(seen.statuses[0]?.repairs?.[0]).toMatchObject({ pod: broken.name, diagnosis: 'HttpError' });
    await look();
    await look();
    const told = condition('CrdOutdated');
    expect(told).toMatchObject({ status: 'True', message: expect.stringContaining('it has no status.exposure;') });
    expect(seen.notes.filter((note) => note === told?.message)).toHaveLength(1);
  });

  it('tells of a repair that was written down even when its deletion fails', async () => {
    const { seen, look } = world({ pods: [broken], deletion: answer(503, 'ServerError') });
    await expect(look()).rejects.toThrow(KubeError);
    expect(seen.begun).toEqual([broken.name]);
  });
});
