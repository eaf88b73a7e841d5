/** Labels come from several values. Each is printed once, or kustomize takes nothing of the release as a post-renderer. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { tools } from '../../cluster/tools.ts';
import { kinds, objectsOf, render } from './render.ts';

const NAME = 'app.kubernetes.io/name';
const VIEW = 'rbac.authorization.k8s.io/aggregate-to-view';
const own = (team: string) => ({ team, [NAME]: 'not-taken' });
/** The same keys wherever labels and annotations can be given; an empty value is one too. */
const VALUES = {
  image: { registry: 'registry.example.com' },
  commonLabels: { ...own('all'), [VIEW]: 'false', desk: 'video', shift: 'night' },
  podLabels: { ...own('pods'), shift: '' },
  podAnnotations: { 'kubectl.kubernetes.io/default-container': 'other', 'checksum/log-signatures': 'not-taken' },
  logSignatures: [{ contains: 'database is gone' }],
  service: { labels: own('service') },
  monitoring: {
    serviceMonitor: { enabled: true, labels: own('monitor') },
    prometheusRule: { enabled: true, labels: own('rule'), runbookUrl: 'https://runbooks.example.com' },
    dashboards: { enabled: true, labels: own('dashboards') },
  },
};

const podSchema = z.object({
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
      }),
    }),
  }),
});

it('the label that is nearest to an object is taken, once, and never in place of one of the chart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'labels-'));
  try {
    await writeFile(join(folder, 'values.yaml'), stringify(VALUES));
    const yaml = await render('--values', join(folder, 'values.yaml'));
    await writeFile(join(folder, 'all.yaml'), yaml);
    await writeFile(join(folder, 'kustomization.yaml'), stringify({ resources: ['all.yaml'] }));
    const { kubectl } = await tools();
    const { stdout } = await promisify(execFile)(kubectl, ['kustomize', folder], { maxBuffer: 16 << 20 });
    const objects = objectsOf(yaml);
    expect(kinds(objectsOf(stdout))).toEqual(kinds(objects));

    const teams = Object.fromEntries(
      objects
        .filter(({ metadata }) => !metadata.name.endsWith('-log-signatures'))
        .map(({ kind, metadata }) => [kind, metadata.labels?.['team']]),
    );
    expect(teams).toMatchObject({
      ...{ ClusterRole: 'all', CustomResourceDefinition: 'all', Deployment: 'all', Pod: 'all' },
      ...{ Service: 'service', ServiceMonitor: 'monitor', PrometheusRule: 'rule', ConfigMap: 'dashboards' },
    });
    for (const { kind, metadata } of objects) expect(metadata.labels?.[NAME], kind).not.toBe('not-taken');
    const view = objects.find(({ metadata }) => metadata.name.endsWith('-view'));
    expect(view?.metadata.labels).toMatchObject({ [VIEW]: 'true', desk: 'video' });

    const { selector, template } = podSchema.parse(objects.find(({ kind }) => kind === 'Deployment')).spec;
    expect(template.metadata.labels).toMatchObject({ team: 'pods', desk: 'video', shift: '', ...selector.matchLabels });
    expect(selector.matchLabels).not.toHaveProperty('team');
    expect(template.metadata.annotations).toEqual({
      'kubectl.kubernetes.io/default-container': 'other',
      'checksum/log-signatures': expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('a key that is there twice is no object', () => {
  const twice = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    team: a\n    team: b\n';
  expect(() => objectsOf(twice)).toThrow('Map keys must be unique');
});
