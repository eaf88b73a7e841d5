/** The plain manifests, by `kubectl apply -k` on the real API server. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Case, createCase, quick } from '../case.ts';
import { type Json, kubectl } from '../kubectl.ts';

const TAG = process.env['E2E_IMAGE_TAG'] ?? 'dev';
const IMAGES = ['operator', 'mcp', 'api', 'sandbox', 'probe'].map((name) => ({
  name: `kling-${name}`,
  newName: `localhost/kling-${name}`,
  newTag: TAG,
}));
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

/** A kustomization as a user writes it. @returns its folder */
async function kustomization(base: string, more: Record<string, unknown> = {}): Promise<string> {
  const path = join(folder, base);
  await mkdir(path);
  const content = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: kase.namespace,
    resources: [relative(path, resolve('charts/kustomize', base))],
    images: IMAGES,
    ...more,
  };
  await writeFile(join(path, 'kustomization.yaml'), stringify(content));
  return path;
}

async function works(deployment = 'kling-operator'): Promise<void> {
  await kubectl(['rollout', 'status', '-n', kase.namespace, `deployment/${deployment}`, '--timeout=120s']);
  await kase.apply(quick());
  await kase.ready();
  const images = (await kase.pods()).flatMap(({ spec }) => spec.containers.map(({ image }: Json) => image));
  expect([...new Set(images)].sort()).toEqual(
    ['api', 'mcp', 'operator', 'sandbox'].map((name) => `localhost/kling-${name}:${TAG}`),
  );
}

it('installs two operators for one namespace', async () => {
  await kubectl(['apply', '--server-side', '-k', await kustomization('namespace')]);
  await works();
  const operators = (await kase.pods()).filter(({ metadata }) => metadata.name.startsWith('kling-operator-'));
  expect(operators).toHaveLength(2);
});

it('installs the definition, the namespace and an operator with cluster-wide roles', async () => {
  // names of its own and one namespace to watch, so that it keeps out of what others have here
  const suffix = kase.namespace.slice(-6);
  const add = { op: 'add', path: '/spec/template/spec/containers/0/env/-' };
  const path = await kustomization('cluster', {
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
    await kubectl(['apply', '--server-side', '--force-conflicts', '-k', path]);
    await works(`kling-operator-${suffix}`);
    expect(await kubectl(['get', 'role', '-n', kase.namespace, '-o', 'name'])).not.toMatch(/kling-operator-\w{6}$/m);
  } finally {
    // never `delete -k`: that would take the definition, and every KlingApi
    const names = ['kling-operator', 'kling-operator-view', 'kling-operator-edit'].map((name) => `${name}-${suffix}`);
    await kubectl(['delete', 'clusterrole', ...names, '--ignore-not-found']);
    await kubectl(['delete', 'clusterrolebinding', `kling-operator-${suffix}`, '--ignore-not-found']);
  }
});
