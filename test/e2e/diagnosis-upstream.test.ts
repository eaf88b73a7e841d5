/** Faults of other services than MCP, made for real: they are told apart, and no MCP pod is touched for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { alive, type Case, condition, createCase } from './case.ts';
import {
  conditioned,
  diagnosed,
  eventReasons,
  livePod,
  operatorMetric,
  operatorPod,
  upstreamSecret,
} from './diagnosis.ts';
import { hang, refuseNames, resume } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

/** Accounts of the sandbox that fail as their key says, and a Service that nobody stands behind. */
const UPSTREAMS: [name: string, key: string, host: string, diagnosis: string][] = [
  ['limited', 'fault-1302', 'upstream', 'UpstreamRateLimited'],
  ['empty', 'fault-1102', 'upstream', 'UpstreamBalanceEmpty'],
  ['locked', 'bad-key', 'upstream', 'UpstreamKeyInvalid'],
  ['refused', 'fault-1301', 'upstream', 'UpstreamRefused'],
  ['gone', 'any-key', 'nobody', 'UpstreamDown'],
];

const spec = (name: string, host: string, env: { name: string; value: string }[] = []): Record<string, unknown> => ({
  upstream: { provider: 'Custom', endpoint: `http://${host}:5512`, apiKeySecretRef: { name: 'upstream', key: name } },
  mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 }, env },
  remediation: { unhealthySeconds: 3 },
});

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 5512 }] },
});

const sandbox = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'upstream', labels: { app: 'upstream' } },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'sandbox',
        image: 'localhost/kling-sandbox:dev',
        imagePullPolicy: 'Never',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
};

let kase: Case;
const uids = new Map<string, string>();
const apiPod = async (name: string): Promise<Json> =>
  alive(
    (
      await getJson([
        'get',
        'pods',
        '-n',
        kase.namespace,
        '-l',
        `klingapi.dev/name=${name},app.kubernetes.io/component=api`,
      ])
    ).items,
  )[0];

beforeAll(async () => {
  kase = await createCase('upstream');
  await upstreamSecret(kase, Object.fromEntries(UPSTREAMS.map(([name, key]) => [name, key])));
  const objects = [sandbox, service('upstream'), service('nobody')].map((object) => stringify(object)).join('---\n');
  await kubectl(['apply', '-n', kase.namespace, '-f', '-'], objects);
  for (const [name, , host] of UPSTREAMS) await kase.apply(spec(name, host), name);
  await Promise.all(UPSTREAMS.map(([name]) => diagnosed(kase, name, undefined)));
  for (const [name] of UPSTREAMS) uids.set(name, (await livePod(kase, name)).metadata.uid);
});
afterAll(() => kase?.remove());

const untouched = async (name: string): Promise<void> => {
  const { status } = await kase.klingApi(name);
  expect([status.repairs, status.repairsTotal ?? 0]).toEqual([undefined, 0]);
  expect(status.mcp.pods).toEqual([expect.objectContaining({ verdict: 'Serving' })]);
  expect((await livePod(kase, name)).metadata.uid).toBe(uids.get(name));
};

describe('an upstream that', () => {
  it.each(UPSTREAMS)('is %s (%s, %s): %s', async (name, _key, _host, diagnosis) => {
    const object = await conditioned(kase, name, 'UpstreamReachable', diagnosis, 240_000);
    expect(condition(object, 'UpstreamReachable')?.status).toBe('False');
    expect(condition(object, 'Ready')?.status).toBe('True');
    const check = object.status.verification.checks.find((entry: Json) => entry.name === 'ImageGeneration');
    expect(check).toMatchObject({ result: 'Inconclusive', reason: diagnosis });
    await waitFor(async () => (await eventReasons(kase)).get(name)?.has(diagnosis), { what: `an Event ${diagnosis}` });
    expect(await operatorMetric(kase, 'klingoperator_diagnosis', name, { diagnosis })).toBe(1);
    await untouched(name);
    expect(JSON.stringify(object)).not.toContain('fault-1');
  });
});

it('API pods that are down are told as that, and come back by themselves', async () => {
  const pod = await apiPod('limited');
  await hang(kase, pod, 'api');
  const object = await conditioned(kase, 'limited', 'ApiAvailable', 'ApiDown');
  expect(condition(object, 'Ready')).toMatchObject({ status: 'False', reason: 'ApiDown' });
  expect(condition(object, 'McpAvailable')?.status).toBe('True');
  await untouched('limited');
  await waitFor(async () => (await eventReasons(kase)).get('limited')?.has('ApiDown'), { what: 'an Event ApiDown' });
  await resume(kase, pod, 'api');
  await conditioned(kase, 'limited', 'ApiAvailable', 'PodsReady');
});

it('names that the operator cannot resolve are its own trouble: nothing is called failed for it', async () => {
  await refuseNames(kase, await operatorPod(kase), 'operator');
  // another revision is verified anew
  await kase.apply(spec('empty', 'upstream', [{ name: 'ROUND', value: '2' }]), 'empty');
  const object = await conditioned(kase, 'empty', 'ProtocolVerified', 'NameResolution');
  expect(condition(object, 'ProtocolVerified')?.status).toBe('Unknown');
  expect(object.status.verification.checks.map((check: Json) => check.result)).not.toContain('Failed');
  expect(object.status.mcp.pods).toEqual([expect.objectContaining({ verdict: 'Serving' })]);
  expect(object.status.repairsTotal ?? 0).toBe(0);
  expect(object.status.revisions.verified).not.toBe(object.status.revisions.current);
});
