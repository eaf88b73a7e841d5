/** What the chart renders is what the real API server takes, to the last field, and fits Pod Security restricted. */

import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { CHART } from '../e2e/case.ts';
import { installCrd } from '../e2e/crd.ts';
import { helm, kubectl, tryKubectl } from '../e2e/kubectl.ts';

const namespace = `crd-chart-${randomBytes(3).toString('hex')}`;
const sets = (await readdir(join(CHART, 'ci'))).sort();

beforeAll(async () => {
  await installCrd();
  await kubectl(['create', 'namespace', namespace]);
  const levels = ['enforce', 'warn'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
  await kubectl(['label', 'namespace', namespace, ...levels]);
});
afterAll(() => kubectl(['delete', 'namespace', namespace, '--wait=false']));

it.each(sets)('%s', async (set) => {
  const yaml = await helm(['template', 'chart', CHART, '-n', namespace, '-f', join(CHART, 'ci', set)]);
  const objects = parseAllDocuments(yaml)
    .map((document) => document.toJS())
    .filter((object) => object !== null)
    // the others are not there
    .map((object) =>
      object.metadata.namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } },
    );
  expect(objects.length).toBeGreaterThan(2);
  const { code, stderr } = await tryKubectl(
    ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-n', namespace, '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
});
