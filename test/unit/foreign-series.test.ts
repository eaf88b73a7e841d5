/**
 * Beside other programs: the kubelet, the control plane and other operators have metrics of the same names, and no panel, record or
 * alert of ours may speak of theirs.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allMetrics, type Metric } from '../../scripts/generate/metrics-page.ts';
import { chartRules, RELEASE } from '../monitoring/chart-rules.ts';
import { dashboards, queriesOf } from '../monitoring/dashboards.ts';
import { prometheusPrograms } from '../monitoring/programs.ts';
import { counted, held } from './alerts/story.ts';

const run = promisify(execFile);
const OWN = /^(klingapi|klingoperator)_/;
const shared = Object.values(allMetrics())
  .flat()
  .filter(({ name }) => !OWN.test(name));

/** As near to ours as others may be: in the namespace of a KlingApi, and called an operator. */
const LABELS = 'namespace="media",pod="other-0",job="other-operator",app="operator"';

/** Values by series. */
function foreign({ name, type, labelNames }: Metric): [series: string, values: string][] {
  const labels = [LABELS, ...labelNames.filter((label) => label !== 'app').map((label) => `${label}="other"`)].join();
  if (type === 'histogram')
    return [
      [`${name}_bucket{${labels},le="0.1"}`, counted([5, 60])],
      [`${name}_bucket{${labels},le="+Inf"}`, counted([10, 60])],
      [`${name}_sum{${labels}}`, counted([1, 60])],
      [`${name}_count{${labels}}`, counted([10, 60])],
    ];
  return [[`${name}{${labels}}`, type === 'counter' ? counted([10, 60]) : held([1, 60])]];
}

const groups = await chartRules(['thresholds.unitsPerDay=1000']);
const asked = (await dashboards()).flatMap((dashboard) => {
  const all = dashboard.templating.list.map(({ name, allValue }) => [name, allValue]);
  const chosen = { namespace: 'media', klingapi: 'studio', operator: `${RELEASE.name}-metrics`, __rate_interval: '5m' };
  return queriesOf(dashboard, {
    ...chosen,
    ...Object.fromEntries(all.filter(([, allValue]) => allValue !== undefined)),
  });
});
const ruled = groups.flatMap(({ rules }) => rules.map(({ expr }) => ({ expr })));

let folder: string;
let promtool: string;
beforeAll(async () => {
  ({ promtool } = await prometheusPrograms());
  folder = await mkdtemp(join(tmpdir(), 'foreign-series-'));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** All that there is of ours: without it an alert would say that nothing is. */
const OURS: [series: string, values: string] = [
  `up{namespace="${RELEASE.namespace}",job="${RELEASE.name}-metrics"}`,
  held([1, 60]),
];

/** @returns what promtool says of those that show something of others */
async function shown(queries: { expr: string }[]): Promise<string> {
  const file = join(folder, 'test.json');
  await writeFile(join(folder, 'rules.json'), JSON.stringify({ groups }));
  const tests = [
    {
      interval: '1m',
      input_series: [OURS, ...shared.flatMap(foreign)].map(([series, values]) => ({ series, values })),
      promql_expr_test: queries.map(({ expr }) => ({
        expr,
        eval_time: '50m',
        exp_samples: / or vector\(0\)$/.test(expr) ? [{ labels: '{}', value: 0 }] : [],
      })),
    },
  ];
  await writeFile(file, JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests }));
  return run(promtool, ['test', 'rules', file]).then(
    () => '',
    (error: Error & { stdout?: string; stderr?: string }) =>
      `${error.stdout ?? ''}${error.stderr ?? ''}` || error.message,
  );
}

it('there are names that others have too', () => {
  const names = shared.map(({ name }) => name);
  for (const name of ['leader_election_master_status', 'workqueue_depth', 'http_requests_total'])
    expect(names).toContain(name);
});

it('no panel shows what others do', { timeout: 60_000 }, async () => {
  expect(asked.length).toBeGreaterThan(50);
  expect(await shown(asked)).toBe('');
});

it('no rule speaks of what others do', { timeout: 60_000 }, async () => {
  expect(ruled.length).toBeGreaterThan(25);
  expect(await shown(ruled)).toBe('');
});

it('a query that asks for all of that name is found', { timeout: 60_000 }, async () => {
  for (const expr of [
    'sum(leader_election_master_status)',
    'sum(workqueue_depth{app="operator"})',
    'sum(rate(http_requests_total{klingapi=~".*"}[5m])) or vector(0)',
  ])
    expect(await shown([{ expr }])).toContain('FAILED');
});
