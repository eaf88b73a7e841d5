/** Clients outside the cluster, through a real ingress controller: by Ingress and by HTTPRoute, with TLS, over a repair. */
import { randomUUID } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { MACHINE, type RealIssuer, SCOPES, startRealIssuer } from '../../services/mcp/src/oauth/real-issuer.ts';
import { nodeAddress } from '../cluster/index.ts';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { type Authority, createAuthority } from '../ingress/authority.ts';
import { type Controller, removeController, startController } from '../ingress/controller.ts';
import { installGatewayApi, removeGatewayApi } from '../ingress/gateway-api.ts';
import { alive, type Case, condition, createCase, podIsReady, quick } from './case.ts';
import { legacyClient, type McpClient, modernClient } from './client.ts';
import { operatorMetric } from './diagnosis.ts';
import { arrivals, createEdge, type Edge, mcpRequest, traffic } from './edge.ts';
import { breakPod, faulty } from './faults.ts';
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

const page = await scriptOf('docs/ingress.md');
let kase: Case;
let authority: Authority;
let controller: Controller;
let edge: Edge;
let edge2: Edge;
let key: string;
/** Names as the world has them, which resolve inside the cluster too: each is that of a Service that leads to the controller. */
const host = { ingress: '', route: '', oauth: '' };
const hosts = (): [string, string][] => [
  ['Ingress', host.ingress],
  ['HTTPRoute', host.route],
];

const edgeNamespace = (): string => `${kase.namespace}-edge`;

/** The building of the controller is in it, once. */
const PREPARATION_MS = 1_800_000;
const START_MS = 420_000;
/** Lets the operator know the authority of the test, as docs/ingress.md says. */
const TRUST = [
  'extraEnv[0].name=NODE_EXTRA_CA_CERTS',
  'extraEnv[0].value=/etc/authority/ca.crt',
  'extraVolumes[0].name=authority',
  'extraVolumes[0].configMap.name=authority',
  'extraVolumeMounts[0].name=authority',
  'extraVolumeMounts[0].mountPath=/etc/authority',
];
/** Of a machine that is busy a pod without a request gets next to nothing. */
const REQUESTS = { resources: { requests: { cpu: '100m' } } };
/** Time enough for a machine that does much at once: what is counted here is which requests fail, not how fast a pod is replaced. */
const HANDSHAKE = { periodSeconds: 6, timeoutSeconds: 5, startupGraceSeconds: 300 };
/** Two readiness probes and the moment until the controller has heard of it. */
const TAKEN_OUT_MS = 2 * HANDSHAKE.periodSeconds * 1_000 + 10_000;

const apply = (...objects: object[]): Promise<string> =>
  kubectl(['apply', '-n', kase.namespace, '-f', '-'], objects.map((object) => stringify(object)).join('---\n'));

beforeAll(async () => {
  await installGatewayApi();
  authority = await createAuthority();
  kase = await createCase('ingress', {
    values: [...TRUST, 'resources.requests.cpu=200m'],
  });
  for (const name of ['ingress', 'route', 'oauth'] as const) host[name] = `${name}.${edgeNamespace()}.public.test`;
  const tls = await authority.issue(Object.values(host));
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'authority' }, data: { 'ca.crt': authority.certificate } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'public-tls' },
      stringData: { 'tls.crt': tls.certificate, 'tls.key': tls.key },
    },
  );
  await kubectl(['create', 'namespace', edgeNamespace()]);
  await kubectl(['label', 'namespace', edgeNamespace(), 'pod-security.kubernetes.io/enforce=restricted']);
  controller = await startController(edgeNamespace(), { hosts: Object.keys(host), tls });

  await kase.apply(studio());
  await kase.ready('studio', START_MS);
  key = await kase.callerKey();
  edge = createEdge({ address: controller.address, ca: authority.certificate });
  edge2 = createEdge({ address: controller.address, ca: authority.certificate, http2: true });
}, PREPARATION_MS);

afterAll(async () => {
  await edge?.close();
  await edge2?.close();
  await kase?.remove();
  if (kase !== undefined) await removeController(edgeNamespace());
  await authority?.remove();
  await removeGatewayApi();
}, 300_000);

const studio = (className = controller.className): Record<string, unknown> =>
  quick(
    { ...faulty, ...REQUESTS, handshake: HANDSHAKE },
    {
      api: REQUESTS,
      expose: {
        ingress: { host: host.ingress, className, tlsSecretName: 'public-tls' },
        httpRoute: { parentRefs: [{ ...controller.gateway, sectionName: 'https' }], hostnames: [host.route] },
      },
    },
  );

const exposed = (status: string, name = 'studio'): Promise<Json> =>
  waitFor(
    async () => {
      const object = await kase.klingApi(name);
      const found = condition(object, 'Exposed');
      if (found?.status === status) return object;
      throw new Error(JSON.stringify(found));
    },
    { what: `Exposed of ${name} to be ${status}`, timeoutMs: 180_000 },
  );

/** Where requests went, by their ids. */
const wentTo = (ids: string[]): Promise<Awaited<ReturnType<Controller['requests']>>> =>
  waitFor(
    async () => {
      const requests = await controller.requests();
      return ids.every((id) => requests.has(id)) ? requests : undefined;
    },
    { what: 'the controller to tell of every request', timeoutMs: 60_000 },
  );

describe('the public URL', () => {
  it('is asked for a handshake, and what it shows is told everywhere by one reason', async () => {
    const object = await exposed('True');
    expect(condition(object, 'Exposed')).toMatchObject({ reason: 'HandshakePassed' });
    expect(object.status.verification.summary).toBe('3/3');
    expect(object.status.exposure).toMatchObject({
      url: `https://${host.ingress}/mcp/v1`,
      result: 'Passed',
      reason: 'HandshakePassed',
    });
    expect(object.status.endpoints.mcp).toBe(`https://${host.ingress}/mcp/v1`);
    const { stdout } = await play(page.commands(), { adapt: (command) => `${command} -n ${kase.namespace}` });
    expect(JSON.parse(stdout)).toMatchObject({ result: 'Passed', reason: 'HandshakePassed' });
    expect(await operatorMetric(kase, 'klingoperator_exposed', 'studio', { reason: 'HandshakePassed' })).toBe(1);
  });

  it('takes MCP clients of both eras with a bearer key, by Ingress and by HTTPRoute', async () => {
    for (const [kind, name] of hosts()) {
      for (const connect of [legacyClient, modernClient]) {
        let client: McpClient | undefined;
        try {
          client = await connect({ url: `https://${name}/mcp/v1`, key, fetch: edge.fetch });
          const created = await client.callTool('create_text_to_image_tool', { prompt: `a kite over ${kind}` });
          expect(created.isError ?? false, JSON.stringify(created.content)).toBe(false);
          const id = created.structuredContent?.['id'];
          const wait = { task_id: id, timeout: 120 };
          const done = await client.callTool('wait_for_task_completion_tool', wait);
          const image = done.content.find((part) => part.type === 'image');
          expect(image, JSON.stringify(done).slice(0, 1_000)).toBeDefined();
          expect(PNG.sync.read(Buffer.from(image?.data ?? '', 'base64')).width).toBeGreaterThan(256);
        } finally {
          await client?.close();
        }
      }
      const stranger = await edge.fetch(`https://${name}/mcp/v1`, mcpRequest('no-key', 'tools/list', {}));
      expect(stranger.status).toBe(401);
    }
  });

  it('leads each path to the process that answers it, and none to the management port', async () => {
    const [mcp, api] = await Promise.all([
      kase.mcpPods(),
      getJson(['get', 'pods', '-n', kase.namespace, '-l', 'klingapi.dev/name=studio,app.kubernetes.io/component=api']),
    ]);
    const owner = new Map<string, string>([
      ...mcp.map((pod): [string, string] => [`${pod.status.podIP}:5510`, 'mcp']),
      ...api.items.map((pod: Json): [string, string] => [`${pod.status.podIP}:5511`, 'api']),
    ]);
    const paths: [string, string][] = [
      ...['/mcp/v1', '/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp/v1'].map(
        (path): [string, string] => [path, 'mcp'],
      ),
      ...[
        '/',
        '/docs',
        '/api/health',
        '/v1/images/generations',
        '/v1/videos/text2video',
        '/text-to-video',
        '/tasks',
      ].map((path): [string, string] => [path, 'api']),
      ...['/callbacks/kling', '/uploads/none', '/page/none', '/account/costs'].map((path): [string, string] => [
        path,
        'api',
      ]),
    ];
    const management = ['/livez', '/readyz', '/handshake', '/metrics', '/sandbox/faults'];
    const tricks = ['//metrics', '/mcp/v1/..%2f..%2fmetrics', '/.well-known/..;/metrics', '/mcp/v1/metrics'];
    const asked: { id: string; what: string; to: string | undefined }[] = [];
    for (const [kind, name] of hosts()) {
      const ask = async (path: string, to?: string, more: Record<string, string> = {}) => {
        const id = randomUUID();
        const reply = await edge.fetch(`https://${name}${path}`, { headers: { 'x-request-id': id, ...more } });
        asked.push({ id, what: `${kind} ${path}`, to });
        return { status: reply.status, body: await reply.text() };
      };
      for (const [path, to] of paths) await ask(path, to);
      expect((await ask('/api/health')).body).toContain('"ok"');
      expect((await ask('/')).body).toContain('<html');
      for (const path of [...management, ...tricks]) {
        const port = {
          'x-forwarded-port': '9090',
          'x-forwarded-host': 'studio-mcp:9090',
          forwarded: 'host=studio-mcp:9090',
        };
        const { status, body } = await ask(path, undefined, port);
        expect(`${kind} ${path} ${status >= 400}`).toBe(`${kind} ${path} true`);
        expect(body).not.toMatch(/klingapi_mcp_|nodejs_|consecutiveFailures/);
      }
    }
    const requests = await wentTo(asked.map(({ id }) => id));
    for (const { id, what, to } of asked) {
      const address = requests.get(id)?.pod;
      // a request that the controller refuses itself goes to nobody
      if (to === undefined && address === undefined) continue;
      expect(`${what}: ${owner.get(address ?? '') ?? address}`).toMatch(
        to === undefined ? /: (mcp|api)$/ : `${what}: ${to}`,
      );
    }
    const services = await getJson(['get', 'services', '-n', kase.namespace, '-l', 'klingapi.dev/name']);
    expect(services.items.length).toBeGreaterThanOrEqual(3);
    const ports = services.items.flatMap((item: Json) => item.spec.ports.map((entry: Json) => entry.port));
    expect(ports).not.toContain(9090);
  });
});

describe('tokens of an authorization server', () => {
  let issuer: RealIssuer;
  beforeAll(async () => {
    issuer = await startRealIssuer({ address: nodeAddress, host: `login.${kase.namespace}.svc` });
    const { port } = new URL(issuer.issuer);
    await apply(
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'login' }, spec: { ports: [{ port: Number(port) }] } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'login', labels: { 'kubernetes.io/service-name': 'login' } },
        addressType: 'IPv4',
        ports: [{ port: Number(port) }],
        endpoints: [{ addresses: [nodeAddress] }],
      },
    );
    await kase.apply(
      quick(
        { ...REQUESTS, replicas: 1, handshake: HANDSHAKE, auth: { oauth: { issuer: issuer.issuer, scopes: SCOPES } } },
        {
          api: REQUESTS,
          expose: { ingress: { host: host.oauth, className: controller.className, tlsSecretName: 'public-tls' } },
        },
      ),
      'guarded',
    );
    await kase.ready('guarded', START_MS);
  }, START_MS);
  afterAll(async () => {
    await kubectl(['delete', 'klingapi', 'guarded', '-n', kase.namespace, '--ignore-not-found']);
    await issuer?.close();
  });

  it('takes access tokens, and tells where to get one', async () => {
    await exposed('True', 'guarded');
    const url = `https://${host.oauth}/mcp/v1`;
    const asked = await edge.fetch(url, mcpRequest('none', 'tools/list', {}));
    expect(asked.status).toBe(401);
    const metadataUrl = /resource_metadata="([^"]+)"/.exec(asked.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    expect(metadataUrl).toBe(`https://${host.oauth}/.well-known/oauth-protected-resource/mcp/v1`);
    expect(await (await edge.fetch(metadataUrl)).json()).toMatchObject({
      resource: url,
      authorization_servers: [issuer.issuer],
    });
    const form = { grant_type: 'client_credentials', resource: url, scope: SCOPES.join(' ') };
    const basic = Buffer.from(`${MACHINE.clientId}:${MACHINE.clientSecret}`).toString('base64');
    const granted = await fetch(`http://${nodeAddress}:${new URL(issuer.issuer).port}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    });
    const { access_token: token } = (await granted.json()) as { access_token: string };
    for (const connect of [legacyClient, modernClient]) {
      const client = await connect({ url, key: token, fetch: edge.fetch });
      expect(await client.listTools()).toContain('create_text_to_image_tool');
      await client.close();
    }
  });
});

describe('a wait of more than a minute', () => {
  const SECONDS = 75;
  /** A comment every 15 s, on a machine that does much at once. */
  const PROMPT_MS = 30_000;
  it('is neither cut nor held up, in MCP and in the API, over HTTP/1.1 and HTTP/2', { timeout: 240_000 }, async () => {
    const sandbox = (
      await getJson([
        'get',
        'pods',
        '-n',
        kase.namespace,
        '-l',
        'klingapi.dev/name=studio,app.kubernetes.io/component=sandbox',
      ])
    ).items[0];
    const faults = `http://${sandbox.status.podIP}:9090/sandbox/faults`;
    await fetch(faults, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ match: { kind: 'text-to-video' }, fault: 'task-never-ends' }),
    });
    const client = await legacyClient({ url: `https://${host.ingress}/mcp/v1`, key, fetch: edge.fetch });
    const created = await client.callTool('create_text_to_video_tool', { prompt: 'a kite that never lands' });
    await client.close();
    const id = String(created.structuredContent?.['id']);
    const args = {
      name: 'wait_for_task_completion_tool',
      arguments: { task_id: id, timeout: SECONDS, poll_interval: 60 },
    };
    const ways = hosts().flatMap(([kind, name]) => [
      { way: `${kind} HTTP/1.1`, name, by: edge },
      { way: `${kind} HTTP/2`, name, by: edge2 },
    ]);
    const streams = ways.map(async ({ way, name, by }) => {
      const began = performance.now();
      const call = { ...args, _meta: { progressToken: 'wait' } };
      const reply = await by.fetch(`https://${name}/mcp/v1`, mcpRequest(key, 'tools/call', call));
      expect(reply.headers.get('content-type')).toBe('text/event-stream');
      const seen = await arrivals(reply, began);
      console.log(`${way}: pieces after ${seen.map(({ at }) => (at / 1000).toFixed(1)).join(', ')} s`);
      // what is held up comes in one piece at the end
      expect(seen[0]?.at, way).toBeLessThan(PROMPT_MS);
      const silences = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? 0));
      expect(Math.max(...silences), way).toBeLessThan(PROMPT_MS);
      expect(seen.length, way).toBeGreaterThanOrEqual(5);
      expect(seen.at(-1)?.text, way).toContain('"result"');
      expect(seen.at(-1)?.text, way).not.toContain('"isError":true');
      expect(seen.at(-1)?.at, way).toBeGreaterThan(SECONDS * 1000 - 2_000);
    });
    // not a byte comes before the end of this one
    const silent = ways.map(async ({ way, name, by }) => {
      const began = performance.now();
      const reply = await by.fetch(`https://${name}/api/tasks/${id}/wait`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ timeoutSeconds: SECONDS }),
      });
      expect(`${way} ${reply.status} ${((await reply.json()) as { id: string }).id}`).toBe(`${way} 200 ${id}`);
      expect(performance.now() - began, way).toBeGreaterThan(SECONDS * 1000 - 2_000);
    });
    const outcomes = await Promise.allSettled([...streams, ...silent]);
    await fetch(faults, { method: 'DELETE' });
    expect(outcomes.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))).toEqual([]);
  });
});

describe('a pod that stops speaking MCP under traffic', () => {
  it('is repaired, and nobody but its own callers sees it fail', { timeout: 300_000 }, async () => {
    const pods = await waitFor(
      async () => {
        const found = alive(await kase.mcpPods());
        return found.length === 2 && found.every(podIsReady) ? found : undefined;
      },
      { what: 'two MCP pods that are ready' },
    );
    const [broken] = pods;
    const before = (await kase.klingApi()).status.repairsTotal;
    const loops = [...hosts(), ...hosts()].map(([, name]) => traffic(edge, `https://${name}/mcp/v1`, key));
    const all = () => loops.flatMap(({ sent }) => sent);
    await waitFor(async () => all().filter(({ ok }) => ok).length >= 50, { what: 'traffic to flow' });
    const brokenAt = Date.now();
    await breakPod(kase, broken, 'session-manager');
    await waitFor(async () => all().some(({ ok }) => !ok), {
      what: 'a request to fail',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    await kase.repaired(before + 1);
    const served = all().length;
    await waitFor(async () => all().length >= served + 50, { what: 'traffic after the repair' });
    await Promise.all(loops.map((loop) => loop.stop()));

    const sent = all();
    const failed = sent.filter(({ ok }) => !ok);
    const requests = await wentTo(sent.map(({ id }) => id));
    const byFailingPod = failed.filter(({ id }) => requests.get(id)?.pod === `${broken.status.podIP}:5510`);
    const others = failed.filter((one) => !byFailingPod.includes(one));
    const last = Math.max(...failed.map(({ at }) => at)) - brokenAt;
    console.log(
      `${sent.length} requests during the repair: ${byFailingPod.length} failed in the failing pod, the last ${(last / 1000).toFixed(1)} s after the fault; others failed: ${others.length}`,
    );
    expect(others).toEqual([]);
    expect(byFailingPod.length).toBeGreaterThan(0);
    // from then on none comes to it any more
    expect(last).toBeLessThan(TAKEN_OUT_MS);
    const uids = alive(await kase.mcpPods()).map((pod) => pod.metadata.uid);
    expect(uids).not.toContain(broken.metadata.uid);
  });
});

describe('a public URL that leads nowhere', () => {
  it('is told, holds nothing back and repairs nothing', async () => {
    const before = await kase.klingApi();
    const uids = alive(await kase.mcpPods()).map((pod) => pod.metadata.uid);
    await kase.apply(studio('nobody'));
    const object = await exposed('False');
    expect(condition(object, 'Exposed')).toMatchObject({ reason: 'RequestRefused' });
    expect(condition(object, 'Exposed')?.message).toContain('HTTP 404: the controller has no route for it');
    expect(condition(object, 'Ready')).toMatchObject({ status: 'True' });
    expect(object.status.verification.summary).toBe('3/3');
    expect(object.status.repairsTotal).toBe(before.status.repairsTotal);
    const events = await waitFor(
      async () => {
        const { items } = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
        const found = items.filter(
          (event: Json) => event.reason === 'RequestRefused' && event.regarding?.name === 'studio',
        );
        return found.length > 0 ? found : undefined;
      },
      { what: 'an Event', timeoutMs: 30_000 },
    );
    expect(events[0]).toMatchObject({ type: 'Warning', action: 'VerifyExposure' });
    await kase.apply(studio());
    await exposed('True');
    expect(alive(await kase.mcpPods()).map((pod) => pod.metadata.uid)).toEqual(uids);
  });
});
