/** `npm run demo [-- --fault NAME] [-- --keep]`: the main job from nothing, told as it happens. */
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { klingApiSchema, repairReport } from '@klingapi/operator';
import { PNG } from 'pngjs';
import { stringify } from 'yaml';
import { status as clusterStatus, down, up } from '../cluster/index.ts';
import { alive, CHART, condition, LOCAL_IMAGES, podIsReady } from '../e2e/case.ts';
import { legacyClient, type McpClient, modernClient, serviceFetch } from '../e2e/client.ts';
import { prepareImages } from '../e2e/images.ts';
import { getJson, helm, type Json, kubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { watch } from '../e2e/watcher.ts';
import { FAULTS } from './faults.ts';
import { followRepair, followRestart, klingApi } from './follow.ts';
import { bad, bold, chapter, dim, during, elapsed, fact, good, green, say, yellow } from './print.ts';

const NAMESPACE = 'kling-demo';
const SYSTEM = 'kling-system';
const OUTPUT = 'demo-output';
const URL = `http://studio-mcp.${NAMESPACE}.svc:5510/mcp/v1`;

const { values } = parseArgs({
  options: { fault: { type: 'string', default: 'session-manager' }, keep: { type: 'boolean', default: false } },
});
const fault = FAULTS[values.fault];
if (fault === undefined) {
  say(`There is no fault "${values.fault}". Faults: ${Object.keys(FAULTS).join(', ')}`);
  process.exit(2);
}

const mcpPods = async (): Promise<Json[]> =>
  alive(
    (await getJson(['get', 'pods', '-n', NAMESPACE, '-l', 'klingapi.dev/name=studio,app.kubernetes.io/component=mcp']))
      .items,
  );
const exec = (pod: string, script: string): Promise<string> =>
  kubectl(['exec', '-n', NAMESPACE, pod, '-c', 'mcp', '--', '/usr/bin/node', '-e', script]);

async function install(): Promise<void> {
  await during('Cluster: a real Kubernetes on this machine', () => up());
  const build = await during('Images: built and loaded', () => prepareImages());
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=120s']);
  await during('Chart: CRD, RBAC and operator', () =>
    helm([
      'upgrade',
      '--install',
      'kling-operator',
      CHART,
      '-n',
      SYSTEM,
      '--create-namespace',
      ...LOCAL_IMAGES,
      // the tag stays, the content may be new
      '--set-string',
      `podAnnotations.build=${build}`,
      // a CRD that was applied by hand before becomes the release's
      '--take-ownership',
      '--force-conflicts',
      '--wait',
      '--timeout',
      '3m',
    ]),
  );
}

async function applyStudio(): Promise<void> {
  const manifest = stringify({
    apiVersion: 'klingapi.dev/v1alpha1',
    kind: 'KlingApi',
    metadata: { name: 'studio' },
    spec: {
      upstream: { provider: 'Sandbox' },
      ...(Object.keys(fault?.mcp ?? {}).length === 0 ? {} : { mcp: fault?.mcp }),
    },
  });
  say(manifest.trimEnd().replace(/^/gm, '    '));
  await kubectl(['create', 'namespace', NAMESPACE]);
  await kubectl(['apply', '-n', NAMESPACE, '-f', '-'], manifest);
  await during('KlingApi studio is Ready and verified', () =>
    waitFor(
      async () => {
        const object = await klingApi();
        if (condition(object, 'Ready')?.status === 'True' && object.status.verification !== undefined) return true;
        throw new Error(condition(object, 'Ready')?.message ?? 'no status yet');
      },
      { what: 'Ready', timeoutMs: 180_000, everyMs: 500 },
    ),
  );
  say((await kubectl(['get', 'klingapi', '-n', NAMESPACE])).trimEnd().replace(/^/gm, '    '));
}

async function makePicture(client: McpClient): Promise<void> {
  const tools = await client.listTools();
  good(`${client.era} client: ${tools.length} tools: ${dim(tools.join(', '))}`);
  if (fault?.server === 'Python') return;
  const created = await client.callTool('create_text_to_image_tool', { prompt: 'A red kite over a quiet bay at dawn' });
  const done = await client.callTool('wait_for_task_completion_tool', { task_id: created.structuredContent?.['id'] });
  const data = done.content.find((part) => part.type === 'image')?.data;
  if (data === undefined) throw new Error(`No picture came: ${JSON.stringify(done.content).slice(0, 500)}`);
  const bytes = Buffer.from(data, 'base64');
  const { width, height } = PNG.sync.read(bytes);
  const file = `${OUTPUT}/picture-${client.era.toLowerCase()}.png`;
  await writeFile(file, bytes);
  good(`${client.era} client: a picture of ${width}x${height}, saved as ${bold(file)}`);
}

async function useIt(key: string): Promise<void> {
  const service = await serviceFetch(NAMESPACE);
  try {
    for (const connect of fault?.server === 'Python' ? [legacyClient] : [legacyClient, modernClient]) {
      const client = await connect({ url: URL, key, fetch: service.fetch });
      await makePicture(client);
      await client.close();
    }
  } finally {
    await service.close();
  }
}

async function scrape(): Promise<void> {
  const operator = (await getJson(['get', 'pods', '-n', SYSTEM, '-l', 'app.kubernetes.io/name=kling-operator']))
    .items[0];
  const [pod] = await mcpPods();
  for (const [name, address, pattern] of [
    ['operator', operator.status.podIP, /^klingoperator_(mcp_pods_serving|handshakes_total)\{.*$/gm],
    ['mcp', pod.status.podIP, /^\w*handshake\w*_total\{.*$/gm],
  ] as const) {
    const text = await (await fetch(`http://${address}:9090/metrics`)).text();
    const lines = text.match(pattern) ?? [];
    good(
      `${name}: ${text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length} series, among them ${dim(lines.slice(0, 2).join('  '))}`,
    );
  }
}

async function plainHealth(pod: Json): Promise<void> {
  const green200 = async (title: string, url: string) => {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch((error: Error) => ({
      status: error.name,
    }));
    fact(`${reply.status === 200 ? green('green') : yellow(String(reply.status))}  ${title}`);
  };
  const api = await getJson(['get', 'service', 'studio-api', '-n', NAMESPACE]);
  await green200('GET /api/health of the API', `http://${api.spec.clusterIP}:5511/api/health`);
  if (fault?.server === 'Python')
    await green200('GET /health of the MCP server', `http://${pod.status.podIP}:5510/health`);
  else await green200('GET /livez of the MCP pod', `http://${pod.status.podIP}:9090/livez`);
}

async function breakAndRepair(key: string): Promise<void> {
  const [pod] = await mcpPods();
  const service = await getJson(['get', 'service', 'studio-mcp', '-n', NAMESPACE]);
  const client = watch({
    url: `http://${service.spec.clusterIP}:5510/mcp/v1`,
    hostHeader: `studio-mcp.${NAMESPACE}.svc:5510`,
    key,
  });
  await waitFor(async () => client.samples.some((sample) => sample.ok), {
    what: 'the independent client to be served',
  });
  fact(`${fault?.story}.`);
  fact(`Pod ${bold(pod.metadata.name)} breaks now.`);
  const since = Date.now();
  await fault?.inject({ exec, namespace: NAMESPACE }, pod);

  chapter('What a plain health check sees');
  await plainHealth(pod);

  chapter('What the operator does');
  if (fault?.repairedBy === 'kubelet') {
    await followRestart(pod);
    good(
      `${elapsed(since)}: the kubelet restarted the container; repairs by the operator: ${(await klingApi()).status.repairsTotal}`,
    );
    await client.stop();
    return;
  }
  const record = await followRepair(since);
  const whole = await waitFor(
    async () => {
      const [object, pods] = [await klingApi(), await mcpPods()];
      return condition(object, 'Ready')?.status === 'True' && pods.every(podIsReady) && object;
    },
    { what: 'Ready again' },
  );
  const samples = await client.stop();

  chapter('The report');
  const report = repairReport(
    { name: 'studio', namespace: NAMESPACE },
    klingApiSchema.parse(whole).status?.repairs?.find((entry) => entry.id === record.id) ?? record,
  );
  await writeFile(`${OUTPUT}/report.md`, report);
  say(report.replace(/^/gm, '    '));

  const failed = samples.filter((sample) => sample.at >= since && !sample.ok);
  const span = failed.length === 0 ? 0 : Math.max(...failed.map((sample) => sample.at)) - since;
  chapter('What clients saw');
  fact(
    `An independent client asked ${samples.length} times: ${failed.length} requests failed, the last one ${(span / 1_000).toFixed(1)} s after the fault.`,
  );
  fact(
    `Clients were without full service for ${bold(`${(span / 1_000).toFixed(1)} s`)}; the broken pod was replaced and verified (${record.verification?.summary}) after ${bold(`${((new Date(record.finishedAt).getTime() - since) / 1_000).toFixed(1)} s`)}.`,
  );
  fact('In July 2025 it took a person, an SSH session and a report, and 2 of 3 checks were called a success.');
  if (record.outcome !== 'Recovered' || record.verification?.summary !== '3/3')
    throw new Error(`The repair ended ${record.outcome} with ${record.verification?.summary}`);
}

async function main(): Promise<void> {
  await mkdir(OUTPUT, { recursive: true });
  const running = (await clusterStatus()).running;
  chapter('1. From nothing to an operator');
  await install();
  chapter('2. One resource');
  await applyStudio();
  const key = Buffer.from(
    (await getJson(['get', 'secret', 'studio-callers', '-n', NAMESPACE])).data.default,
    'base64',
  ).toString('utf8');
  chapter('3. MCP clients, through the Service');
  await useIt(key);
  await scrape();
  chapter('4. The MCP server dies, and nothing notices');
  await breakAndRepair(key);
  chapter('5. And it works again');
  await useIt(key);
  say(`\n${green('Done')} in ${elapsed()}.`);
  say('What to try next:');
  fact(
    `npm run demo -- --fault ${Object.keys(FAULTS)
      .filter((name) => name !== values.fault)
      .join(' | ')}`,
  );
  if (values.keep || running) {
    fact('export KUBECONFIG=$(npm run -s cluster -- kubeconfig)');
    fact(`kubectl get klingapi studio -n ${NAMESPACE} -o yaml`);
    fact(`kubectl get events.events.k8s.io -n ${NAMESPACE}`);
    fact('npm run cluster -- down');
  } else {
    fact('npm run demo -- --keep   keeps the cluster to look around in');
    await during('The cluster is taken down (--keep keeps it)', () => down());
  }
}

main().catch((error: unknown) => {
  bad(error instanceof Error ? error.message : String(error));
  say(
    `The demo stopped after ${elapsed()}. The cluster is as it was left: npm run cluster -- status, npm run cluster -- down`,
  );
  process.exitCode = 1;
});
