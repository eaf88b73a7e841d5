/** The children that come and go with their blocks, and what a change of them does to pods that run. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alive, type Case, condition, createCase, podIsReady, quick } from './case.ts';
import { getJson, type Json, kubectl, tryKubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

let kase: Case;
beforeAll(async () => {
  kase = await createCase('children');
});
afterAll(() => kase?.remove());

const names = async (kind: string, name: string): Promise<string[]> =>
  (await getJson(['get', kind, '-n', kase.namespace, '-l', `klingapi.dev/name=${name}`])).items
    .map((item: Json) => item.metadata.name)
    .sort();
const get = (kind: string, name: string): Promise<Json> => getJson(['get', kind, name, '-n', kase.namespace]);
const uids = (pods: Json[]): string[] => pods.map((pod) => pod.metadata.uid).sort();
const until = (what: string, ask: () => Promise<boolean>, timeoutMs = 60_000): Promise<unknown> =>
  waitFor(ask, { what, timeoutMs });

async function evict(pod: Json): Promise<number> {
  const { name, namespace } = pod.metadata;
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const { code, stderr } = await tryKubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(body));
  if (code !== 0) expect(stderr).toContain('disruption budget');
  return code;
}

it('a drain takes one of several MCP pods at a time, and a single one has no budget that would hold it', async () => {
  await kase.apply(quick({ replicas: 2 }), 'drained');
  await kase.ready('drained');
  await until(
    'one disruption to be allowed',
    async () => (await get('pdb', 'drained-mcp')).status.disruptionsAllowed === 1,
  );
  const [first, second] = alive(await kase.mcpPods('drained'));
  expect([await evict(first), await evict(second)]).toEqual([0, 1]);
  await kase.apply(quick({ replicas: 1 }), 'drained');
  await until('the budget to go', async () => (await names('pdb', 'drained')).length === 0);
  await kase.apply(quick({ replicas: 2 }), 'drained');
  await until('the budget to come back', async () => (await names('pdb', 'drained')).length === 1);
  await kubectl(['delete', 'klingapi', 'drained', '-n', kase.namespace]);
});

it('network policies come, follow the resource, and go', async () => {
  const policy = (networkPolicy: Record<string, unknown>) => kase.apply(quick({}, { networkPolicy }), 'closed');
  await policy({ mode: 'Enabled' });
  await kase.ready('closed');
  expect(await names('networkpolicies', 'closed')).toEqual(['closed-api', 'closed-mcp', 'closed-sandbox']);
  const clients = { namespaceSelector: { matchLabels: { team: 'media' } } };
  await policy({ mode: 'Enabled', ingressFrom: [clients] });
  await until('the clients to be let in', async () =>
    (await get('networkpolicy', 'closed-mcp')).spec.ingress.some(
      (rule: Json) => JSON.stringify(rule.from) === JSON.stringify([clients]) && rule.ports[0].port === 5510,
    ),
  );
  const theOperator = (await get('networkpolicy', 'closed-mcp')).spec.ingress.at(-1).from[0];
  const labels = Object.entries(theOperator.podSelector.matchLabels).map(([key, value]) => `${key}=${value}`);
  expect(theOperator.namespaceSelector.matchLabels).toEqual({ 'kubernetes.io/metadata.name': kase.namespace });
  expect((await getJson(['get', 'pods', '-n', kase.namespace, '-l', labels.join()])).items).toHaveLength(1);
  await policy({ mode: 'Disabled' });
  await until('the policies to go', async () => (await names('networkpolicies', 'closed')).length === 0);
  await kubectl(['delete', 'klingapi', 'closed', '-n', kase.namespace]);
});

it('five replicas go over to autoscaling and back, and no pod is lost', async () => {
  await kase.apply(quick({ replicas: 5 }), 'scaled');
  await kase.ready('scaled');
  const before = uids(alive(await kase.mcpPods('scaled')));
  expect(before).toHaveLength(5);
  const ownsReplicas = async (manager: string): Promise<boolean> =>
    JSON.parse(
      await kubectl(['get', 'deployment', 'scaled-mcp', '-n', kase.namespace, '-o', 'json', '--show-managed-fields']),
    ).metadata.managedFields.some(
      (entry: Json) => entry.manager === manager && entry.fieldsV1['f:spec']?.['f:replicas'] !== undefined,
    );
  await kase.apply(quick({ replicas: 5, autoscaling: { min: 2, max: 6, cpuPercent: 80 } }), 'scaled');
  await until('the autoscaler', async () => (await names('hpa', 'scaled')).length === 1);
  await until('the number to be handed over', async () => !(await ownsReplicas('klingapi-operator')));
  await until('the autoscaler to find the Deployment', async () =>
    (await get('hpa', 'scaled-mcp')).status?.conditions?.some(
      (entry: Json) => entry.type === 'AbleToScale' && entry.status === 'True',
    ),
  );
  expect(uids(alive(await kase.mcpPods('scaled')))).toEqual(before);
  await kase.apply(quick({ replicas: 5 }), 'scaled');
  await until('the autoscaler to go', async () => (await names('hpa', 'scaled')).length === 0);
  await until('the number to be owned again', () => ownsReplicas('klingapi-operator'));
  expect(uids(alive(await kase.mcpPods('scaled')))).toEqual(before);
  await kubectl(['delete', 'klingapi', 'scaled', '-n', kase.namespace]);
});

it('a missing key is told, taken up when it comes, and a new one rolls the API pod and no other', async () => {
  // a sandbox that another KlingApi runs stands for the vendor
  await kase.apply(quick({ replicas: 1 }), 'vendor');
  const secret = (key: string): Promise<string> =>
    kubectl(
      ['apply', '-n', kase.namespace, '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kling' }, stringData: { apiKey: key } }),
    );
  await kase.apply(
    quick(
      { replicas: 1 },
      {
        upstream: {
          provider: 'Custom',
          endpoint: `http://vendor-sandbox.${kase.namespace}.svc:5512`,
          apiKeySecretRef: { name: 'kling', key: 'apiKey' },
        },
      },
    ),
    'keyed',
  );
  const told = await waitFor(
    async () => {
      const object = await kase.klingApi('keyed');
      return condition(object, 'ApiAvailable')?.reason === 'MissingSecret' && object;
    },
    { what: 'the missing Secret to be told', timeoutMs: 60_000 },
  );
  expect(condition(told, 'Accepted')).toMatchObject({ status: 'True' });
  expect(condition(told, 'Stalled')).toBeUndefined();
  expect(condition(told, 'Reconciling')).toMatchObject({
    reason: 'MissingSecret',
    message: expect.stringMatching(/Secret kling does not exist .*create it with the key "apiKey"/),
  });
  await secret('first-key-of-the-test');
  const object = await kase.ready('keyed');
  expect(condition(object, 'Reconciling')).toBeUndefined();

  const stampOf = (pod: Json): string | undefined => pod.metadata.annotations?.['klingapi.dev/inputs'];
  const apiPod = await get('pod', 'keyed-api-0');
  expect(stampOf(apiPod)).toMatch(/^[0-9a-f]{32}$/);
  const mcp = uids(alive(await kase.mcpPods('keyed')));
  await secret('second-key-of-the-test');
  const rolled = await waitFor(
    async () => {
      const pod = await get('pod', 'keyed-api-0');
      return pod.metadata.uid !== apiPod.metadata.uid && pod;
    },
    { what: 'the API pod to be rolled', timeoutMs: 180_000 },
  );
  expect(stampOf(rolled)).not.toBe(stampOf(apiPod));
  expect(JSON.stringify(rolled)).not.toContain('key-of-the-test');
  await kase.ready('keyed');
  expect(uids(alive(await kase.mcpPods('keyed')))).toEqual(mcp);
});

it('what MCP pods take from a ConfigMap rolls them and no other, and the host of the exposure is let in', async () => {
  const flags = (value: string): Promise<string> =>
    kubectl(
      ['apply', '-n', kase.namespace, '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'flags' }, data: { LOG_LEVEL: value } }),
    );
  await flags('info');
  const expose = { ingress: { host: 'kling.example', tlsSecretName: 'tls' } };
  await kase.apply(quick({ replicas: 2, envFrom: [{ configMapRef: { name: 'flags' } }] }, { expose }), 'configured');
  const object = await kase.ready('configured');
  expect(object.status.endpoints).toEqual({
    mcp: 'https://kling.example/mcp/v1',
    api: 'https://kling.example',
    docs: 'https://kling.example/docs',
  });
  expect((await get('ingress', 'configured')).spec.tls).toEqual([{ hosts: ['kling.example'], secretName: 'tls' }]);
  const before = alive(await kase.mcpPods('configured'));
  /** Status of a call without a key, by the name that it was called under. */
  const asked = (host: string): Promise<string> =>
    kase.exec(
      before[0].metadata.name,
      `require('node:http').request({ port: 5510, path: '/mcp/v1', method: 'POST', headers: { host: '${host}', 'content-type': 'application/json' } }, (reply) => { console.log(reply.statusCode); process.exit(); }).end('{}')`,
    );
  expect([await asked('kling.example'), await asked('evil.example')].map((text) => text.trim())).toEqual([
    '401',
    '403',
  ]);

  const api = await get('pod', 'configured-api-0');
  await flags('debug');
  await until(
    'the MCP pods to be made anew',
    async () => {
      const now = alive(await kase.mcpPods('configured'));
      const old = new Set(uids(before));
      return now.length === 2 && now.every((pod) => !old.has(pod.metadata.uid) && podIsReady(pod));
    },
    180_000,
  );
  await kase.ready('configured');
  expect((await get('pod', 'configured-api-0')).metadata.uid).toBe(api.metadata.uid);
  await kubectl(['delete', 'klingapi', 'configured', '-n', kase.namespace]);
});

it('headers that a server of another make needs are told when their Secret is missing', async () => {
  await kase.apply(
    {
      upstream: { provider: 'Sandbox' },
      mcp: { image: 'localhost/none:dev', handshake: { headersSecretRef: { name: 'nowhere' } } },
    },
    'headless',
  );
  const object = await waitFor(
    async () => {
      const seen = await kase.klingApi('headless');
      return condition(seen, 'McpAvailable')?.reason === 'MissingSecret' && seen;
    },
    { what: 'the missing Secret to be told', timeoutMs: 60_000 },
  );
  expect(condition(object, 'McpAvailable')?.message).toMatch(
    /Secret nowhere does not exist .*or change spec\.mcp\.handshake\.headersSecretRef/,
  );
  expect(condition(object, 'Accepted')).toMatchObject({ status: 'True' });
});
