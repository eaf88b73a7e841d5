/** Monitoring as docs/monitoring.md turns it on. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { CHART, kinds, objectsOf, render } from './render.ts';

const ROOT = join(CHART, '../..');

it('turns monitoring on as docs/monitoring.md says', async () => {
  const page = await readFile(join(ROOT, 'docs/monitoring.md'), 'utf8');
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  const blocks = [...page.matchAll(/```yaml\n(monitoring:[\s\S]*?)```/g)].map(([, text = '']) => text);
  const files = blocks.map((_, index) => join(folder, `values-${index}.yaml`));
  await Promise.all(files.map((file, index) => writeFile(file, blocks[index] ?? '')));
  const base = ['--skip-tests', '--set', 'image.registry=localhost', '--set', 'crds.install=false'];
  const stdout = await render(...base, ...files.flatMap((file) => ['--values', file])).finally(() =>
    rm(folder, { recursive: true }),
  );
  expect(files).toHaveLength(2);
  const made = objectsOf(stdout).filter(({ kind }) => !/Role|Deployment|ServiceAccount|PodDisruption/.test(kind));
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
  expect(board.data['kling-money.json']).toBe(await readFile(join(CHART, 'files/dashboards/kling-money.json'), 'utf8'));
  await expect(stringify(made.filter(({ kind }) => /^Service/.test(kind)))).toMatchFileSnapshot(
    join(import.meta.dirname, 'golden/monitoring.golden.yaml'),
  );
});
