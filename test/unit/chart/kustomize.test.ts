/** The plain manifests as kustomize builds them from the kustomization of their README. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { tools } from '../../cluster/tools.ts';
import { CHART, containerOf, kinds, objectsOf, type Rendered } from './render.ts';

const FOLDER = join(CHART, '../kustomize');

async function built(base: string, more = ''): Promise<Rendered[]> {
  const readme = await readFile(join(FOLDER, 'README.md'), 'utf8');
  const [, documented = ''] = readme.match(/```yaml\n([\s\S]*?)```/) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
  try {
    const own = join(folder, 'kling');
    await mkdir(own);
    const text = documented.replace('../charts/kustomize/cluster', relative(own, join(FOLDER, base)));
    await writeFile(join(own, 'kustomization.yaml'), `${text}${more}`);
    const { kubectl } = await tools();
    const { stdout } = await promisify(execFile)(kubectl, ['kustomize', own], { maxBuffer: 16 << 20 });
    return objectsOf(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

it.each(['cluster', 'namespace'])(
  '%s: images come from the registry that is named, and nothing else is taken for one',
  async (base) => {
    const { image, env } = containerOf(await built(base));
    const registry = 'registry.example.com/team/kling-';
    expect(image).toBe(`${registry}operator:${packageJson.version}`);
    expect(Object.entries(env).filter(([, value]) => value?.includes('registry'))).toEqual(
      ['mcp', 'api', 'sandbox', 'probe'].map((name) => [
        `IMAGE_${name.toUpperCase()}`,
        `${registry}${name}:${packageJson.version}`,
      ]),
    );
  },
);

it('cluster: brings definition and namespace', async () => {
  const names = kinds(await built('cluster'));
  expect(names).toContain('CustomResourceDefinition -/klingapis.klingapi.dev');
  expect(names).toContain('Namespace -/kling-system');
});

it('namespace: is wholly in the namespace that is named', async () => {
  const objects = await built('namespace', 'namespace: studio\n');
  expect(objects.map(({ kind, metadata }) => `${kind} in ${metadata.namespace}`)).toEqual(
    objects.map(({ kind }) => `${kind} in studio`),
  );
  expect(JSON.stringify(objects)).not.toContain('kling-system');
  expect(objects.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] !== undefined)).toEqual([]);
});
