/** The plain manifests, by `kubectl apply -k` on the real API server. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { play } from '../../docs/play.ts';
import { scriptOf } from '../../docs/script.ts';
import { type Case, createCase, quick } from '../case.ts';
import { type Json, kubectl } from '../kubectl.ts';

const script = await scriptOf('charts/kustomize/README.md');
const TAG = process.env['E2E_IMAGE_TAG'] ?? 'dev';
let kase: Case;
let folder: string;
beforeEach(async () => {
  kase = await createCase('kustomize', { operators: 0 });
  folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
  await kase?.remove();
});

const pageSchema = z.looseObject({
  resources: z.tuple([z.literal('../charts/kustomize/cluster')]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })),
});

/** What the page shows, with the images that are here and what keeps this case apart. */
async function kustomization(base: string, more: Record<string, unknown> = {}): Promise<void> {
  const path = join(folder, 'kling');
  await mkdir(path);
  const [{ text } = { text: '' }] = script.page.code.filter(({ language }) => language === 'yaml');
  const written = pageSchema.parse(parse(text));
  const content = {
    ...written,
    namespace: kase.namespace,
    resources: [relative(path, resolve('charts/kustomize', base))],
    images: written.images.map(({ name, newName }) => ({
      ...{ name, newName: newName.replace('registry.example.com/team', 'localhost'), newTag: TAG },
    })),
    ...more,
  };
  await writeFile(join(path, 'kustomization.yaml'), stringify(content));
}
/** As the page says, from the folder beside the kustomization. */
const apply = (deployment = 'kling-operator') =>
  play(script.commands(), {
    cwd: folder,
    adapt: (command) =>
      command
        .replace('kling-system', kase.namespace)
        .replace('deployment/kling-operator', `deployment/${deployment}`)
        .replace('--server-side', '--server-side --force-conflicts')
        .replace('rollout status', 'rollout status --timeout=120s'),
  });

async function works(): Promise<void> {
  await kase.apply(quick());
  await kase.ready();
  const images = (await kase.pods()).flatMap(({ spec }) => spec.containers.map(({ image }: Json) => image));
  expect([...new Set(images)].sort()).toEqual(
    ['api', 'mcp', 'operator', 'sandbox'].map((name) => `localhost/kling-${name}:${TAG}`),
  );
}

it('installs two operators for one namespace', async () => {
  await kustomization('namespace');
  await apply();
  await works();
  const operators = (await kase.pods()).filter(({ metadata }) => metadata.name.startsWith('kling-operator-'));
  expect(operators).toHaveLength(2);
});

it('installs the definition, the namespace and an operator with cluster-wide roles', async () => {
  // names of its own and one namespace to watch, so that it keeps out of what others have here
  const suffix = kase.namespace.slice(-6);
  const add = { op: 'add', path: '/spec/template/spec/containers/0/env/-' };
  await kustomization('cluster', {
    nameSuffix: `-${suffix}`,
    patches: [
      {
        target: { kind: 'Deployment' },
        patch: JSON.stringify([{ ...add, value: { name: 'WATCH_NAMESPACES', value: kase.namespace } }]),
      },
    ],
    replicas: [{ name: 'kling-operator', count: 1 }],
  });
  try {
    await apply(`kling-operator-${suffix}`);
    await works();
    expect(await kubectl(['get', 'role', '-n', kase.namespace, '-o', 'name'])).not.toMatch(/kling-operator-\w{6}$/m);
  } finally {
    // never `delete -k`: that would take the definition, and every KlingApi
    const names = ['kling-operator', 'kling-operator-view', 'kling-operator-edit'].map((name) => `${name}-${suffix}`);
    await kubectl(['delete', 'clusterrole', ...names, '--ignore-not-found']);
    await kubectl(['delete', 'clusterrolebinding', `kling-operator-${suffix}`, '--ignore-not-found']);
  }
});
