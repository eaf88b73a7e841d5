/** A KlingApi is applied, becomes Ready, and a picture comes out of its MCP server, through both protocol eras. */
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alive, type Case, condition, createCase, podIsReady, quick } from './case.ts';
import { legacyClient, type McpClient, modernClient, serviceFetch } from './client.ts';
import { getJson, type Json, kubectl, tryKubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

const ORIGINAL_TOOLS = [
  'create_image_to_video_tool',
  'create_text_to_image_tool',
  'create_text_to_video_tool',
  'create_virtual_try_on_tool',
  'get_single_task_tool',
  'get_task_result_tool',
  'get_task_status_tool',
  'wait_for_task_completion_tool',
];

let kase: Case;
let ready: Json;
beforeAll(async () => {
  kase = await createCase('main');
  await kase.apply(quick());
  ready = await kase.ready();
});
afterAll(() => kase?.remove());

describe('a KlingApi on the sandbox', () => {
  it('is Ready with two MCP pods, verified three of three', async () => {
    expect(ready.status.verification.summary).toBe('3/3');
    const pods = alive(await kase.mcpPods());
    expect(pods).toHaveLength(2);
    expect(pods.every(podIsReady)).toBe(true);
    expect(ready.status.mcp.protocolVersions).toEqual(expect.arrayContaining(['2025-11-25']));
    for (const type of ['Ready', 'Accepted', 'ApiAvailable', 'McpAvailable', 'ProtocolVerified', 'UpstreamReachable']) {
      expect(condition(ready, type), type).toMatchObject({ status: 'True' });
    }
    await kubectl(['wait', '-n', kase.namespace, 'klingapi/studio', '--for=condition=Ready', '--timeout=10s']);
    expect(await kubectl(['get', 'kapi', '-n', kase.namespace])).toMatch(/studio\s+True\s+2\/2\s+3\/3\s+0\s+http/);
  });

  it.each([
    ['Legacy', legacyClient],
    ['Modern', modernClient],
  ])('makes a picture for a %s client through the Service', async (_, connect) => {
    const service = await serviceFetch(kase.namespace);
    let client: McpClient | undefined;
    try {
      client = await connect({ url: kase.mcpUrl(), key: await kase.callerKey(), fetch: service.fetch });
      expect(await client.listTools()).toEqual(expect.arrayContaining(ORIGINAL_TOOLS));
      const created = await client.callTool('create_text_to_image_tool', { prompt: 'a red kite over a quiet bay' });
      expect(created.isError ?? false, JSON.stringify(created.content)).toBe(false);
      const id = created.structuredContent?.['id'];
      expect(id).toBeTypeOf('string');
      const done = await client.callTool('wait_for_task_completion_tool', { task_id: id });
      expect(done.isError ?? false, JSON.stringify(done.content)).toBe(false);
      const image = done.content.find((part) => part.type === 'image');
      const picture = PNG.sync.read(Buffer.from(image?.data ?? '', 'base64'));
      expect(picture.width * picture.height).toBeGreaterThan(100_000);
    } finally {
      await client?.close();
      await service.close();
    }
  });

  it('lets nobody in without a key', async () => {
    const service = await serviceFetch(kase.namespace);
    try {
      const mcp = await service.fetch(kase.mcpUrl(), {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: '{}',
      });
      expect(mcp.status).toBe(401);
      const api = await service.fetch(`http://studio-api.${kase.namespace}.svc:5511/api/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer wrong' },
        body: '{"prompt":"x"}',
      });
      expect(api.status).toBe(401);
    } finally {
      await service.close();
    }
  });

  it('an API outage and a sandbox outage restart no MCP pod', async () => {
    const before = (await kase.mcpPods()).map((pod) => pod.metadata.uid).sort();
    await kubectl(['scale', '-n', kase.namespace, 'deployment/studio-sandbox', '--replicas=0']);
    await kubectl(['delete', 'pod', '-n', kase.namespace, 'studio-api-0', '--wait=false']);
    // the operator undoes the foreign scale of the sandbox and the StatefulSet brings the API back
    await waitFor(
      async () => {
        const [sandbox, api] = await Promise.all([
          getJson(['get', 'deployment', 'studio-sandbox', '-n', kase.namespace]),
          getJson(['get', 'statefulset', 'studio-api', '-n', kase.namespace]),
        ]);
        return sandbox.spec.replicas === 1 && sandbox.status.readyReplicas === 1 && api.status.readyReplicas === 1;
      },
      { what: 'sandbox and API to be back' },
    );
    const after = await kase.mcpPods();
    expect(after.map((pod) => pod.metadata.uid).sort()).toEqual(before);
    expect(after.flatMap((pod) => pod.status.containerStatuses.map((status: Json) => status.restartCount))).toEqual([
      0, 0,
    ]);
    expect((await kase.klingApi()).status.repairsTotal).toBe(0);
  });

  it('a foreign edit of an owned field is undone, a scale of the MCP workload stays', async () => {
    await kubectl([
      'patch',
      '-n',
      kase.namespace,
      'service/studio-mcp',
      '--type=merge',
      '-p',
      '{"spec":{"selector":{"klingapi.dev/name":"nobody"}}}',
    ]);
    await waitFor(
      async () =>
        (await getJson(['get', 'service', 'studio-mcp', '-n', kase.namespace])).spec.selector['klingapi.dev/name'] ===
        'studio',
      { what: 'the selector to be put back', timeoutMs: 30_000 },
    );
    await kubectl(['scale', '-n', kase.namespace, 'deployment/studio-mcp', '--replicas=3']);
    await waitFor(async () => (await kase.klingApi()).status.mcp.serving === '3/3', {
      what: 'three MCP pods to serve',
      timeoutMs: 60_000,
    });
    expect((await getJson(['get', 'deployment', 'studio-mcp', '-n', kase.namespace])).spec.replicas).toBe(3);
  });

  it('the operator may do no more than its rules say', async () => {
    const identity = `system:serviceaccount:${kase.namespace}:operator-kling-operator`;
    const as = ['--as', identity, '-n', kase.namespace];
    for (const [verb, what, answer] of [
      ['delete', 'pods', 'yes'],
      ['list', 'secrets', 'no'],
      ['watch', 'secrets', 'no'],
      ['delete', 'secrets', 'no'],
      ['create', 'pods', 'no'],
      ['get', 'nodes', 'no'],
    ] as const) {
      const result = await tryKubectl(['auth', 'can-i', verb, what, ...as]);
      expect(`${verb} ${what}: ${result.stdout.trim()}`).toBe(`${verb} ${what}: ${answer}`);
    }
    expect((await tryKubectl(['auth', 'can-i', 'get', 'pods', '--as', identity, '-n', 'default'])).stdout.trim()).toBe(
      'no',
    );
  });
});
