import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { z } from 'zod';
import { signaturesSchema } from '../../operator/src/remediation/signatures.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { tools } from '../cluster/tools.ts';

const ROOT = join(import.meta.dirname, '../..');
const CHART = join(ROOT, 'charts/kling-operator');
const run = promisify(execFile);

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
const ruleSchema = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  verbs: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
});
const environmentSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({ image: z.string(), env: z.array(z.object({ name: z.string(), value: z.string().optional() })) }),
        ]),
      }),
    }),
  }),
});

async function render(...sets: string[]): Promise<string> {
  const { helm } = await tools();
  const args = ['template', 'studio-ops', CHART, '--namespace', 'operators', '--kube-version', '1.34.0'];
  const { stdout } = await run(helm, [...args, ...sets.flatMap((set) => ['--set', set])], { maxBuffer: 16 << 20 });
  return stdout;
}

const objectsOf = (yaml: string) =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS() as unknown)
    .filter((object) => object !== null && object !== undefined)
    .map((object) => objectSchema.parse(object));

const kinds = (objects: ReturnType<typeof objectsOf>) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`).sort();

function containerOf(objects: ReturnType<typeof objectsOf>) {
  const [container] = environmentSchema.parse(objects.find(({ kind }) => kind === 'Deployment')).spec.template.spec
    .containers;
  return { image: container.image, env: Object.fromEntries(container.env.map(({ name, value }) => [name, value])) };
}

const golden = (name: string) => join(import.meta.dirname, 'golden', `chart.${name}.golden.yaml`);
/** The CRD is long and has its own check. */
const WITHOUT_CRD = ['image.registry=registry.example.com/team', 'crds.install=false'];

describe('the chart', () => {
  it('watches the whole cluster by default', async () => {
    await expect(await render(...WITHOUT_CRD)).toMatchFileSnapshot(golden('cluster'));
  });

  it('watches one namespace without any cluster-wide kind', async () => {
    const yaml = await render(...WITHOUT_CRD, 'scope=namespace');
    await expect(yaml).toMatchFileSnapshot(golden('namespace'));
    expect(kinds(objectsOf(yaml))).toEqual([
      'Deployment operators/studio-ops-kling-operator',
      'Role operators/studio-ops-kling-operator',
      'Role operators/studio-ops-kling-operator-leader-election',
      'RoleBinding operators/studio-ops-kling-operator',
      'RoleBinding operators/studio-ops-kling-operator-leader-election',
      'ServiceAccount operators/studio-ops-kling-operator',
    ]);
  });

  it('gives log signatures to the operator as it takes them, and rolls it when they change', async () => {
    const yaml = await render(
      ...WITHOUT_CRD,
      'logSignatures[0].contains=database is gone',
      'logSignatures[0].diagnosis=DatabaseGone',
    );
    const objects = objectsOf(yaml);
    const map = z
      .looseObject({ data: z.object({ 'signatures.json': z.string() }) })
      .parse(objects.find(({ kind }) => kind === 'ConfigMap'));
    expect(signaturesSchema.parse(JSON.parse(map.data['signatures.json']))).toEqual([
      { contains: 'database is gone', diagnosis: 'DatabaseGone' },
    ]);
    expect(containerOf(objects).env['LOG_SIGNATURES_FILE']).toBe('/etc/kling-operator/log-signatures/signatures.json');
    expect(yaml).toContain('mountPath: /etc/kling-operator/log-signatures\n');
    expect(yaml).toMatch(/checksum\/log-signatures: [0-9a-f]{64}/);
    await expect(render(...WITHOUT_CRD, 'logSignatures[0].contains=abc')).rejects.toThrow(/minLength/);
  });

  it('gives a Role in each watched namespace and tells the operator the same list', async () => {
    const objects = objectsOf(await render(...WITHOUT_CRD, 'scope=namespace', 'watchNamespaces={red,blue}'));
    expect(kinds(objects).filter((kind) => kind.includes('Role'))).toEqual([
      'Role blue/studio-ops-kling-operator',
      'Role operators/studio-ops-kling-operator-leader-election',
      'Role red/studio-ops-kling-operator',
      'RoleBinding blue/studio-ops-kling-operator',
      'RoleBinding operators/studio-ops-kling-operator-leader-election',
      'RoleBinding red/studio-ops-kling-operator',
    ]);
    expect(containerOf(objects).env['WATCH_NAMESPACES']).toBe('blue,red');
  });

  it('takes every override', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const yaml = await render(
      ...WITHOUT_CRD,
      ...['image.tag=2.0.0', 'image.pullPolicy=Always', 'image.pullSecrets[0].name=first'],
      ...['image.pullSecrets[1].name=second', 'images.mcp.registry=mirror.example.com', 'images.mcp.tag=2.1.0'],
      ...[`images.api.digest=${digest}`, 'images.probe.repository=other/probe', 'logLevel=debug', 'workers=2'],
      ...['leaderElection.enabled=false', 'serviceAccount.create=false', 'serviceAccount.name=given'],
      ...['nodeSelector.disk=ssd', 'tolerations[0].operator=Exists', 'podLabels.team=media'],
      ...['podAnnotations.note=hello', 'priorityClassName=high', 'fullnameOverride=kling'],
      ...['extraEnv[0].name=NODE_EXTRA_CA_CERTS', 'extraEnv[0].value=/tmp/ca.crt', 'rbac.aggregate=false'],
      ...['resources.limits.memory=1Gi', 'tracing.endpoint=http://collector:4318', 'affinity.nodeAffinity.note=any'],
    );
    await expect(yaml).toMatchFileSnapshot(golden('overrides'));
    const { image, env } = containerOf(objectsOf(yaml));
    expect(image).toBe('registry.example.com/team/kling-operator:2.0.0');
    expect(env).toMatchObject({
      IMAGE_MCP: 'mirror.example.com/kling-mcp:2.1.0',
      IMAGE_API: `registry.example.com/team/kling-api@${digest}`,
      IMAGE_PROBE: 'registry.example.com/team/other/probe:2.0.0',
      IMAGE_PULL_SECRETS: 'first,second',
      LEADER_ELECTION: 'false',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    });
  });

  it('installs the definition unless told not to', async () => {
    const objects = objectsOf(await render('image.registry=localhost', 'scope=namespace'));
    expect(kinds(objects)).toContain('CustomResourceDefinition -/klingapis.klingapi.dev');
    expect(kinds(objects).filter((kind) => kind.startsWith('Cluster'))).toEqual([]);
  });

  it('turns monitoring on as docs/monitoring.md says', async () => {
    const page = await readFile(join(ROOT, 'docs/monitoring.md'), 'utf8');
    const folder = await mkdtemp(join(tmpdir(), 'chart-'));
    const blocks = [...page.matchAll(/```yaml\n(monitoring:[\s\S]*?)```/g)].map(([, text = '']) => text);
    const files = blocks.map((_, index) => join(folder, `values-${index}.yaml`));
    await Promise.all(files.map((file, index) => writeFile(file, blocks[index] ?? '')));
    const { helm } = await tools();
    const { stdout } = await run(
      helm,
      [
        ...['template', 'studio-ops', CHART, '--namespace', 'operators', '--kube-version', '1.34.0'],
        ...WITHOUT_CRD.flatMap((set) => ['--set', set]),
        ...files.flatMap((file) => ['--values', file]),
      ],
      { maxBuffer: 16 << 20 },
    ).finally(() => rm(folder, { recursive: true }));
    expect(files).toHaveLength(2);
    const made = objectsOf(stdout).filter(({ kind }) => !/Role|Deployment|ServiceAccount/.test(kind));
    expect(kinds(made)).toEqual([
      'ConfigMap operators/studio-ops-kling-operator-dashboard-kling-fleet',
      'ConfigMap operators/studio-ops-kling-operator-dashboard-kling-klingapi',
      'ConfigMap operators/studio-ops-kling-operator-dashboard-kling-money',
      'PrometheusRule operators/studio-ops-kling-operator',
      'Service operators/studio-ops-kling-operator-metrics',
      'ServiceMonitor operators/studio-ops-kling-operator',
    ]);
    for (const { kind, metadata } of made) {
      if (kind === 'ConfigMap') {
        expect(metadata).toMatchObject({
          labels: { grafana_dashboard: '1' },
          annotations: { grafana_folder: 'Kling' },
        });
      } else if (kind !== 'Service') {
        expect(metadata).toMatchObject({ labels: { release: 'kube-prometheus-stack' } });
      }
    }
    const board = z
      .looseObject({ data: z.record(z.string(), z.string()) })
      .parse(made.find(({ metadata }) => metadata.name.endsWith('kling-money')));
    expect(board.data['kling-money.json']).toBe(
      await readFile(join(CHART, 'files/dashboards/kling-money.json'), 'utf8'),
    );
    await expect(stringify(made.filter(({ kind }) => /^Service/.test(kind)))).toMatchFileSnapshot(golden('monitoring'));
  });

  it('has the version of the product', async () => {
    const { image } = containerOf(objectsOf(await render(...WITHOUT_CRD)));
    expect(image).toBe(`registry.example.com/team/kling-operator:${packageJson.version}`);
  });
});

describe('the rights of the operator', () => {
  it('never include reading lists of Secrets, nor any wildcard', async () => {
    const roles = objectsOf(await render(...WITHOUT_CRD)).filter(
      ({ kind, metadata }) => /Role$/.test(kind) && !/-(view|edit)$/.test(metadata.name),
    );
    const rules = roles.flatMap((role) => z.array(ruleSchema).parse(role['rules']));
    expect(rules.filter(({ resources }) => resources.includes('secrets')).flatMap(({ verbs }) => verbs)).toEqual([
      'get',
      'create',
    ]);
    expect(rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs])).not.toContain(
      '*',
    );
  });
});

describe('a mistake in the values', () => {
  it.each([
    [['image.registry='], 'image.registry is not set: there is no default registry'],
    [['image.registry=https://registry.example.com'], '/image/registry'],
    [['watchNamespaces={a}'], 'watchNamespaces is set but scope is cluster'],
    [['replicas=2', 'leaderElection.enabled=false'], 'operators would work against each other'],
    [['replica=2'], "additional properties 'replica' not allowed"],
    [['tracing.endpoint=collector:4318'], '/tracing/endpoint'],
    [['serviceAccount.create=false'], 'serviceAccount.name is needed'],
  ])('%j is refused with the reason', async (sets, message) => {
    await expect(render(...WITHOUT_CRD, ...sets)).rejects.toThrow(message);
  });
});
