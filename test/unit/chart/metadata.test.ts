/** What catalogues of charts read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { customResourceDefinition, klingApiSchema } from '@klingapi/operator';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { CHART, render } from './render.ts';

const chart = z
  .looseObject({
    version: z.string(),
    appVersion: z.string(),
    icon: z.string(),
    annotations: z.record(z.string(), z.string()),
  })
  .parse(parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8')));
const annotation = (name: string): unknown => parse(chart.annotations[`artifacthub.io/${name}`] ?? '');

it('has the version of the product', () => {
  expect([chart.version, chart.appVersion]).toEqual([packageJson.version, packageJson.version]);
});

it('is for the Kubernetes that its README names, and for none before', async () => {
  const [, named] = (await readFile(join(CHART, 'README.md'), 'utf8')).match(/Kubernetes 1\.(\d+) or newer/) ?? [];
  const renderedFor = (minor: number) =>
    render('--kube-version', `1.${minor}.0`, '--set', 'image.registry=localhost,crds.install=false');
  await expect(renderedFor(Number(named))).resolves.toContain('kind: Deployment');
  await expect(renderedFor(Number(named) - 1)).rejects.toThrow('which is incompatible with Kubernetes');
});

it('carries its icon along', async () => {
  const [type, content] = chart.icon.split(',');
  expect(type).toBe('data:image/svg+xml;base64');
  expect(Buffer.from(content!, 'base64').toString('utf8').trim()).toBe(
    (await readFile(join(CHART, 'icon.svg'), 'utf8')).trim(),
  );
});

it('tells Artifact Hub what is in it', () => {
  const definition = z
    .looseObject({
      metadata: z.looseObject({ name: z.string() }),
      spec: z.looseObject({
        names: z.looseObject({ kind: z.string() }),
        versions: z.tuple([z.looseObject({ name: z.string() })]),
      }),
    })
    .parse(customResourceDefinition());
  expect(annotation('crds')).toMatchObject([
    { kind: definition.spec.names.kind, version: definition.spec.versions[0].name, name: definition.metadata.name },
  ]);
  const stored = { uid: 'u', resourceVersion: '1', namespace: 'media' };
  for (const example of z.array(z.looseObject({ metadata: z.looseObject({}) })).parse(annotation('crdsExamples')))
    expect(
      klingApiSchema.safeParse({ ...example, metadata: { ...stored, ...example.metadata } }).error,
    ).toBeUndefined();
  const changes = z.array(
    z.strictObject({
      kind: z.enum(['added', 'changed', 'deprecated', 'removed', 'fixed', 'security']),
      description: z.string().min(10),
    }),
  );
  expect(changes.safeParse(annotation('changes')).error).toBeUndefined();
  expect(
    z.array(z.strictObject({ name: z.string(), url: z.url() })).safeParse(annotation('links')).error,
  ).toBeUndefined();
  expect(annotation('prerelease')).toBe(chart.version.startsWith('0.'));
});
