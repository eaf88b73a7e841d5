/** What the cases of diagnosis share: small KlingApis, and the places where one word has to be found. */

import { alive, type Case, condition } from './case.ts';
import { FAULTY_IMAGE } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

/** Repairs come within seconds where they come at all. */
const remediation = { unhealthySeconds: 3, backoff: { initialSeconds: 1, maxSeconds: 5 } };

/** An MCP pod alone: no API pod, and an upstream that nobody asks. Needs the Secret of `upstreamSecret`. */
export const lonely = (mcp: Record<string, unknown>): Record<string, unknown> => ({
  upstream: { provider: 'Custom', endpoint: 'http://nobody:5512', apiKeySecretRef: { name: 'upstream', key: 'any' } },
  api: { replicas: 0 },
  mcp: { replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 }, ...mcp },
  remediation,
});

/** Our server with a fault from its start. */
export const broken = (fault: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  image: FAULTY_IMAGE,
  server: 'Kling',
  env: [{ name: 'FAULT', value: fault }],
  ...more,
});

/** The same server, as one of another make: with the probe beside it, and settings of its own. */
export const foreign = (env: Record<string, string>, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  image: FAULTY_IMAGE,
  server: 'Other',
  env: Object.entries({
    AUTH: 'none',
    API_URL: 'http://nobody:5511',
    ALLOWED_HOSTS: '*',
    PORT: '5510',
    MANAGEMENT_PORT: '9091',
    ...env,
  }).map(([name, value]) => ({ name, value })),
  ...more,
});

export async function upstreamSecret(kase: Case, keys: Record<string, string>): Promise<void> {
  const literals = Object.entries(keys).map(([key, value]) => `--from-literal=${key}=${value}`);
  await kubectl(['create', 'secret', 'generic', 'upstream', '-n', kase.namespace, ...literals]);
}

export const livePod = async (kase: Case, name: string): Promise<Json> => alive(await kase.mcpPods(name))[0];

/** Waits until the one MCP pod has this diagnosis. @returns the KlingApi */
export const diagnosed = (
  kase: Case,
  name: string,
  diagnosis: string | undefined,
  timeoutMs = 150_000,
): Promise<Json> =>
  waitFor(
    async () => {
      const object = await kase.klingApi(name);
      const [pod] = object.status?.mcp?.pods ?? [];
      if (pod !== undefined && pod.diagnosis === diagnosis && (diagnosis !== undefined || pod.verdict === 'Serving'))
        return object;
      throw new Error(JSON.stringify({ pods: object.status?.mcp?.pods, repairs: object.status?.repairs?.length }));
    },
    { what: `the pod of ${name} to be ${diagnosis ?? 'Serving'}`, timeoutMs, everyMs: 1_000 },
  );

/** Waits until a condition has this reason. @returns the KlingApi */
export const conditioned = (
  kase: Case,
  name: string,
  type: string,
  reason: string,
  timeoutMs = 150_000,
): Promise<Json> =>
  waitFor(
    async () => {
      const object = await kase.klingApi(name);
      if (condition(object, type)?.reason === reason) return object;
      throw new Error(JSON.stringify(condition(object, type)));
    },
    { what: `${type} of ${name} to be ${reason}`, timeoutMs, everyMs: 1_000 },
  );

/** Reasons of the Events about each KlingApi of the namespace. */
export async function eventReasons(kase: Case): Promise<Map<string, Set<string>>> {
  const { items } = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
  const reasons = new Map<string, Set<string>>();
  for (const { regarding, reason } of items) {
    if (regarding?.kind !== 'KlingApi') continue;
    reasons.set(regarding.name, (reasons.get(regarding.name) ?? new Set()).add(reason));
  }
  return reasons;
}

export const operatorPod = async (kase: Case): Promise<Json> =>
  alive((await getJson(['get', 'pods', '-n', kase.namespace, '-l', 'app.kubernetes.io/name=kling-operator'])).items)[0];

/** One sample of the operator's metrics about a KlingApi; undefined where there is none. @param labels beside the KlingApi's name */
export async function operatorMetric(
  kase: Case,
  metric: string,
  name: string,
  labels: Record<string, string>,
): Promise<number | undefined> {
  const { status } = await operatorPod(kase);
  const text = await (await fetch(`http://${status.podIP}:9090/metrics`)).text();
  const wanted = Object.entries({ klingapi: name, ...labels }).map(([label, value]) => `${label}="${value}"`);
  const line = text
    .split('\n')
    .find((entry) => entry.startsWith(`${metric}{`) && wanted.every((label) => entry.includes(label)));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}
