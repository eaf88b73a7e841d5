/** Faults that no fresh pod would end, made for real: each has its own word, and the pod stays as it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Case, condition, createCase } from './case.ts';
import {
  broken,
  conditioned,
  diagnosed,
  eventReasons,
  foreign,
  livePod,
  lonely,
  operatorMetric,
  operatorPod,
  upstreamSecret,
} from './diagnosis.ts';
import { dropPackets, FAULTY_IMAGE, loadRootImage, ROOT_IMAGE } from './faults.ts';
import { type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

interface Fault {
  diagnosis: string;
  mcp: Record<string, unknown>;
  /** Condition that repeats the word, with its status. */
  shows: [type: string, status: string];
  /** Admission refuses the pods, so none exists. */
  noPod?: true;
}

const down: Fault['shows'] = ['McpAvailable', 'False'];
const FAULTS: Record<string, Fault> = {
  version: { diagnosis: 'VersionMismatch', mcp: broken('version'), shows: down },
  era: {
    diagnosis: 'EraMismatch',
    mcp: foreign({ FAULT: 'legacy-only' }, { handshake: { eras: 'Modern', periodSeconds: 3, timeoutSeconds: 2 } }),
    shows: down,
  },
  path: { diagnosis: 'RequestRefused', mcp: foreign({}, { path: '/mcp/wrong' }), shows: down },
  slow: {
    diagnosis: 'Slow',
    mcp: broken('slow:1600', { handshake: { periodSeconds: 6, timeoutSeconds: 5 } }),
    shows: ['Degraded', 'True'],
  },
  auth: { diagnosis: 'AuthRequired', mcp: foreign({ FAULT: '401' }), shows: ['ProtocolVerified', 'Unknown'] },
  key: {
    diagnosis: 'KeyInvalid',
    mcp: foreign(
      { FAULT: '401' },
      { handshake: { periodSeconds: 3, timeoutSeconds: 2, headersSecretRef: { name: 'headers' } } },
    ),
    shows: ['Degraded', 'True'],
  },
  loopback: { diagnosis: 'LoopbackOnly', mcp: foreign({ HOST: '127.0.0.1' }), shows: down },
  network: { diagnosis: 'NetworkBlocked', mcp: foreign({}), shows: ['McpAvailable', 'Unknown'] },
  crash: { diagnosis: 'CrashLoop', mcp: broken('crash'), shows: down },
  memory: {
    diagnosis: 'OutOfMemory',
    mcp: broken('memory', { resources: { limits: { memory: '128Mi' } } }),
    shows: down,
  },
  image: { diagnosis: 'ImagePull', mcp: { image: 'localhost/no-such-image:1', server: 'Kling' }, shows: down },
  nowhere: { diagnosis: 'Unschedulable', mcp: { pod: { nodeSelector: { disk: 'of-gold' } } }, shows: down },
  secret: {
    diagnosis: 'MissingSecret',
    mcp: foreign({}, { handshake: { headersSecretRef: { name: 'missing' } } }),
    shows: down,
  },
  variable: {
    diagnosis: 'MissingSecret',
    mcp: { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'missing', key: 'token' } } }] },
    shows: down,
  },
  root: { diagnosis: 'RunAsNonRoot', mcp: { image: ROOT_IMAGE, server: 'Other' }, shows: down },
  settings: {
    diagnosis: 'MissingConfigMap',
    mcp: { envFrom: [{ configMapRef: { name: 'missing' } }] },
    shows: down,
  },
  config: {
    diagnosis: 'ContainerConfig',
    // below a file there is no folder to mount
    mcp: {
      pod: {
        volumes: [
          {
            name: 'info',
            downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
          },
        ],
        volumeMounts: [{ name: 'info', mountPath: '/info', subPath: 'labels/inside' }],
      },
    },
    shows: down,
  },
  quota: {
    diagnosis: 'QuotaExceeded',
    mcp: { resources: { requests: { cpu: '60' } } },
    shows: down,
    noPod: true,
  },
  security: {
    diagnosis: 'PodSecurityRefused',
    mcp: { image: FAULTY_IMAGE, server: 'Other', podSecurity: 'Baseline' },
    shows: down,
    noPod: true,
  },
};
const NAMES = Object.keys(FAULTS);
const withPods = NAMES.filter((name) => FAULTS[name]!.noPod === undefined);

let kase: Case;
const uids = new Map<string, string>();
let quietSince = 0;

beforeAll(async () => {
  [kase] = await Promise.all([createCase('diagnosis'), loadRootImage()]);
  await upstreamSecret(kase, { any: 'x' });
  await kubectl(['create', 'secret', 'generic', 'headers', '-n', kase.namespace, '--from-literal=X-Key=wrong-key-1']);
  const quota = {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'small' },
    spec: { hard: { 'requests.cpu': '50' } },
  };
  await kubectl(['apply', '-n', kase.namespace, '-f', '-'], stringify(quota));
  for (const name of NAMES) await kase.apply(lonely(FAULTS[name]!.mcp), name);

  await diagnosed(kase, 'network', undefined);
  const [operator, pod] = [await operatorPod(kase), await livePod(kase, 'network')];
  await dropPackets({ from: operator.status.podIP, to: kase, pod, container: 'probe', port: 5510 });

  await Promise.all(
    NAMES.map((name) => {
      const { diagnosis, noPod, shows } = FAULTS[name]!;
      return noPod === undefined ? diagnosed(kase, name, diagnosis) : conditioned(kase, name, shows[0], diagnosis);
    }),
  );
  for (const name of withPods) uids.set(name, (await livePod(kase, name)).metadata.uid);
  quietSince = Date.now();
});
afterAll(() => kase?.remove());

describe('a fault that a fresh pod would not end', () => {
  it.each(NAMES)('%s is called by its name everywhere', async (name) => {
    const { diagnosis, shows, noPod } = FAULTS[name]!;
    const object = await conditioned(kase, name, shows[0], diagnosis);
    expect(condition(object, shows[0])).toMatchObject({ status: shows[1], message: expect.stringMatching(/\w/) });
    if (noPod === undefined) {
      const [pod] = object.status.mcp.pods;
      expect(pod).toMatchObject({ diagnosis, message: expect.stringMatching(/\w/) });
    }
    await waitFor(async () => (await eventReasons(kase)).get(name)?.has(diagnosis), {
      what: `an Event ${diagnosis} about ${name}`,
      timeoutMs: 20_000,
    });
    expect(await operatorMetric(kase, 'klingoperator_diagnosis', name, { diagnosis })).toBe(1);
  });

  it('is told with words of its own, and without what was sent', async () => {
    const messages = await Promise.all(
      NAMES.map(async (name) => condition(await kase.klingApi(name), FAULTS[name]!.shows[0])?.message as string),
    );
    const [version, era, path, slow, auth, key, loopback, network, crash, memory] = messages;
    expect(version).toContain('"1999-12-31"');
    expect(era).toMatch(/does not speak this era/);
    expect(path).toMatch(/POST \/mcp\/wrong answered HTTP 404/);
    expect(slow).toMatch(/more than half of the 5000 ms/);
    expect(auth).toMatch(/headersSecretRef/);
    expect(key).toMatch(/credentials that were sent are not accepted/);
    expect(loopback).toMatch(/loopback only/);
    expect(network).toMatch(/serves inside/);
    expect(crash).toMatch(/exit code 1/);
    expect(memory).toMatch(/memory/);
    expect(messages.join()).not.toContain('wrong-key-1');
  });

  it('deletes no pod and makes no repair', async () => {
    await waitFor(async () => Date.now() - quietSince >= 20_000, {
      what: 'as long as a repair would have taken',
      timeoutMs: 60_000,
      everyMs: 1_000,
    });
    for (const name of withPods) {
      const { status } = await kase.klingApi(name);
      expect([status.repairs, status.repairsTotal ?? 0, status.remediation?.incident], name).toEqual([
        undefined,
        0,
        undefined,
      ]);
      const pods = await kase.mcpPods(name);
      expect(
        pods.map((pod: Json) => pod.metadata.uid),
        name,
      ).toEqual([uids.get(name)]);
    }
  });
});
