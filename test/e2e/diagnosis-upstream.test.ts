/** Faults of other services than MCP, made for real: they are told apart, and no MCP pod is touched for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { kubeconfigPath, tools } from '../cluster/index.ts';
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
import { getJson, type Json, kubectl, run } from './kubectl.ts';
import { waitFor } from './wait.ts';

/**
 * Accounts of the sandbox that fail as their key says, each under a Service name of its own, so that each is another upstream;
 * behind the last nobody stands.
 */
const UPSTREAMS: [name: string, key: string, diagnosis: string][] = [
  ['limited', 'fault-1302', 'UpstreamRateLimited'],
  ['empty', 'fault-1102', 'UpstreamBalanceEmpty'],
  ['locked', 'bad-key', 'UpstreamKeyInvalid'],
  ['refused', 'fault-1301', 'UpstreamRefused'],
  ['gone', 'any-key', 'UpstreamDown'],
];

const spec = (upstream: string, env: { name: string; value: string }[] = []): Record<string, unknown> => ({
  upstream: {
    provider: 'Custom',
    endpoint: `http://${upstream}:5512`,
    apiKeySecretRef: { name: 'upstream', key: upstream },
  },
  mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 }, env },
  remediation: { unhealthySeconds: 3 },
});

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name === 'gone' ? 'nobody' : 'upstream' }, ports: [{ port: 5512 }] },
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
let uid = '';
const apiPod = async (): Promise<Json> => {
  const labels = 'klingapi.dev/name=studio,app.kubernetes.io/component=api';
  return alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', labels])).items)[0];
};

beforeAll(async () => {
  kase = await createCase('upstream');
  await upstreamSecret(kase, Object.fromEntries(UPSTREAMS.map(([name, key]) => [name, key])));
  const objects = [sandbox, ...UPSTREAMS.map(([name]) => service(name))].map((object) => stringify(object));
  await kubectl(['apply', '-n', kase.namespace, '-f', '-'], objects.join('---\n'));
  await kase.apply(spec('limited'));
  await diagnosed(kase, 'studio', undefined);
  uid = (await livePod(kase, 'studio')).metadata.uid;
});
afterAll(() => kase?.remove());

const untouched = async (): Promise<void> => {
  const { status } = await kase.klingApi();
  expect([status.repairs, status.repairsTotal ?? 0]).toEqual([undefined, 0]);
  expect(status.mcp.pods).toEqual([expect.objectContaining({ verdict: 'Serving' })]);
  expect((await livePod(kase, 'studio')).metadata.uid).toBe(uid);
};
const event = (reason: string): Promise<unknown> =>
  waitFor(async () => (await eventReasons(kase)).get('studio')?.has(reason), { what: `an Event ${reason}` });

describe('an upstream that', () => {
  it.each(UPSTREAMS)('is %s (%s): %s', async (name, key, diagnosis) => {
    await kase.apply(spec(name));
    const object = await conditioned(kase, 'studio', 'UpstreamReachable', diagnosis);
    expect(condition(object, 'UpstreamReachable')?.status).toBe('False');
    expect(condition(object, 'Ready')?.status).toBe('True');
    expect(object.status.verification.upstream).toContain(name);
    const check = object.status.verification.checks.find((entry: Json) => entry.name === 'ImageGeneration');
    expect(check).toMatchObject({ result: 'Inconclusive', reason: diagnosis });
    await event(diagnosis);
    expect(await operatorMetric(kase, 'klingoperator_diagnosis', 'studio', { diagnosis })).toBe(1);
    await untouched();
    expect(JSON.stringify(object)).not.toContain(key);
  });
});

it('API pods that are down are told as that, and come back by themselves', async () => {
  const pod = await apiPod();
  await hang(kase, pod, 'api');
  const object = await conditioned(kase, 'studio', 'ApiAvailable', 'ApiDown');
  expect(condition(object, 'Ready')).toMatchObject({ status: 'False', reason: 'ApiDown' });
  expect(condition(object, 'McpAvailable')?.status).toBe('True');
  await untouched();
  await event('ApiDown');
  await resume(kase, pod, 'api');
  await conditioned(kase, 'studio', 'ApiAvailable', 'PodsReady');
});

/** Those that change something are only tried; the rest needs what this cluster does not have, or waits, or changes a Secret. */
const TRIED = /^kubectl (get|describe|events|logs|patch) /;
const OTHERS = /--previous|\| kubectl|-n kling-system/;

it('the commands of the runbooks run', async () => {
  const folder = join(import.meta.dirname, '../../docs/runbooks');
  const lines = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, code = '']) =>
      code.trim().split('\n'),
    ),
  );
  const pod = (await livePod(kase, 'studio')).metadata.name;
  const commands = new Set(
    lines
      .filter((line) => TRIED.test(line) && !OTHERS.test(line))
      .map((line) => line.replace(/\bmedia\b/g, kase.namespace).replace(/\bPOD\b/g, pod))
      .map((line) => (line.startsWith('kubectl patch') ? `${line} --dry-run=server` : line)),
  );
  expect(commands.size).toBeGreaterThan(30);
  const { kubectl: program } = await tools();
  const env = { KUBECONFIG: await kubeconfigPath(), PATH: `${dirname(program)}:${process.env['PATH']}` };
  for (const line of commands) {
    const result = await run('bash', ['-c', line], { env });
    expect(result.code, `${line}: ${result.stderr}`).toBe(0);
  }
});

it('names that the operator cannot resolve are its own trouble: nothing is called failed for it', async () => {
  await refuseNames(kase, await operatorPod(kase), 'operator');
  // another revision is verified anew
  await kase.apply(spec('empty', [{ name: 'ROUND', value: '2' }]));
  const object = await conditioned(kase, 'studio', 'ProtocolVerified', 'NameResolution');
  expect(condition(object, 'ProtocolVerified')?.status).toBe('Unknown');
  expect(object.status.verification.checks.map((check: Json) => check.result)).not.toContain('Failed');
  expect(object.status.mcp.pods).toEqual([expect.objectContaining({ verdict: 'Serving' })]);
  expect(object.status.repairsTotal ?? 0).toBe(0);
  expect(object.status.revisions.verified).not.toBe(object.status.revisions.current);
});
