import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { signaturesSchema } from '../../../operator/src/remediation/signatures.ts';
import { settingsSchema } from '../../../operator/src/settings.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { CHART, containerOf, kinds, notes, objectsOf, render, withoutCrd } from './render.ts';

const ruleSchema = z.object({
  apiGroups: z.array(z.string()),
  resources: z.array(z.string()),
  verbs: z.array(z.string()),
  resourceNames: z.array(z.string()).optional(),
});

const sets = (await readdir(join(CHART, 'ci'))).map((file) => file.replace('-values.yaml', '')).sort();
/** Those whose tests are worth a look; the others have the same. */
const WITH_TESTS = ['cluster', 'tests'];
const fromSet = (set: string): Promise<string> =>
  render('-f', join(CHART, 'ci', `${set}-values.yaml`), ...(WITH_TESTS.includes(set) ? [] : ['--skip-tests']));

describe('the chart', () => {
  it.each(sets)('renders the values ci/%s as before', async (set) => {
    const yaml = await fromSet(set);
    const names = kinds(objectsOf(yaml));
    expect(new Set(names).size, 'every object once').toBe(names.length);
    await expect(yaml).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${set}.golden.yaml`));
  });

  it.each(['cluster', 'namespaces'])('tells the next commands with the values ci/%s', async (set) => {
    const said = await notes('-f', join(CHART, 'ci', `${set}-values.yaml`));
    await expect(said).toMatchFileSnapshot(join(import.meta.dirname, 'golden', `${set}.notes.txt`));
  });

  it('watches one namespace without any cluster-wide kind', async () => {
    expect(kinds(objectsOf(await fromSet('namespace')))).toEqual([
      'Deployment operators/studio-ops-kling-operator',
      'PodDisruptionBudget operators/studio-ops-kling-operator',
      'Role operators/studio-ops-kling-operator',
      'Role operators/studio-ops-kling-operator-leader-election',
      'RoleBinding operators/studio-ops-kling-operator',
      'RoleBinding operators/studio-ops-kling-operator-leader-election',
      'Service operators/studio-ops-kling-operator-metrics',
      'ServiceAccount operators/studio-ops-kling-operator',
    ]);
  });

  it('gives a Role in each watched namespace and tells the operator the same list', async () => {
    const objects = objectsOf(await fromSet('namespaces'));
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

  it('takes images from elsewhere, by digest before the tag', async () => {
    const { image, env } = containerOf(objectsOf(await fromSet('mirror')));
    expect(image).toBe(`registry.example.com/team/kling-operator@sha256:${'a'.repeat(64)}`);
    expect(env).toMatchObject({
      IMAGE_MCP: 'mirror.example.com/kling-mcp:2.1.0',
      IMAGE_API: `registry.example.com/team/kling-api@sha256:${'b'.repeat(64)}`,
      IMAGE_PROBE: 'registry.example.com/team/other/probe:2.0.0',
      IMAGE_PULL_SECRETS: 'first,second',
    });
  });

  it('labels everything with the common labels, and keeps its own', async () => {
    const objects = objectsOf(await render('-f', join(CHART, 'ci/extras-values.yaml'), '--set', 'crds.install=true'));
    const own = objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'Helm');
    expect(own.length).toBeGreaterThan(10);
    for (const { kind, metadata } of own) {
      expect(metadata.labels, kind).toMatchObject({ team: 'media' });
      expect(metadata.labels?.['app.kubernetes.io/name'], kind).toMatch(/^kling-operator(-test)?$/);
    }
  });

  it('gives log signatures to the operator as it takes them, and rolls it when they change', async () => {
    const yaml = await fromSet('settings');
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
    await expect(withoutCrd('logSignatures[0].contains=abc')).rejects.toThrow(/minLength/);
  });

  it('gives the operator a console only where it is asked for', async () => {
    expect(await withoutCrd()).not.toMatch(/console/i);
    const yaml = await fromSet('settings');
    expect(containerOf(objectsOf(yaml)).env['CONSOLE_PORT']).toBe('9091');
    expect(yaml).toContain('- name: console\n              containerPort: 9091\n');
  });

  it('installs the definition unless told not to', async () => {
    const objects = objectsOf(await render('--set', 'image.registry=localhost,scope=namespace'));
    expect(kinds(objects)).toContain('CustomResourceDefinition -/klingapis.klingapi.dev');
    expect(kinds(objects).filter((kind) => kind.startsWith('Cluster'))).toEqual([]);
  });

  it('has the version of the product', async () => {
    const { image } = containerOf(objectsOf(await withoutCrd()));
    expect(image).toBe(`registry.example.com/team/kling-operator:${packageJson.version}`);
  });

  it.each([
    ['workers=1', 'maxConcurrentRollouts=1', 'stormGuard.klingApis=0', 'stormGuard.percent=0', 'logLevel=trace'],
    ['workers=64', 'maxConcurrentRollouts=1000', 'stormGuard.klingApis=100000', 'stormGuard.windowSeconds=86400'],
  ])('lets nothing through that the operator would refuse: %s …', async (...sets) => {
    expect(settingsSchema.safeParse(containerOf(objectsOf(await withoutCrd(...sets))).env).error).toBeUndefined();
  });
});

describe('the rights of the operator', () => {
  it('never include reading lists of Secrets, nor any wildcard', async () => {
    const roles = objectsOf(await withoutCrd()).filter(
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

describe('the tests of the chart', () => {
  it('are no pods of the operator, and have neither token nor rights', async () => {
    const objects = objectsOf(await fromSet('tests'));
    const pods = objects.filter(({ kind }) => kind === 'Pod');
    expect(kinds(pods)).toEqual([
      expect.stringMatching(/^Pod media\/studio-handshake-[0-9a-f]{8}$/),
      expect.stringMatching(/^Pod operators\/open-handshake-/),
      expect.stringMatching(/^Pod operators\/outside-handshake-/),
      'Pod operators/studio-ops-kling-operator-test',
    ]);
    for (const { metadata, ['spec']: spec } of pods) {
      expect(spec).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true } });
      expect(spec).not.toHaveProperty('serviceAccountName');
      expect(metadata.labels?.['app.kubernetes.io/name']).toBe('kling-operator-test');
    }
  });
});
