/** The alerts of the chart, each shown to promtool: it keeps quiet in a healthy time, fires, and clears. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alertsOf, chartRules, RELEASE, RUNBOOKS } from '../../monitoring/chart-rules.ts';
import { prometheusPrograms } from '../../monitoring/programs.ts';
import { STORIES } from './stories.ts';
import { counted, held, promtoolTest } from './story.ts';

const run = promisify(execFile);
const groups = await chartRules(['thresholds.unitsPerDay=1000']);
const alerts = alertsOf(groups);

let folder: string;
let promtool: string;
beforeAll(async () => {
  ({ promtool } = await prometheusPrograms());
  folder = await mkdtemp(join(tmpdir(), 'alerts-'));
  await writeFile(join(folder, 'rules.json'), JSON.stringify({ groups }));
  // days of all rules take long
  const rules = groups.flatMap((group) => group.rules.filter(({ record = '' }) => /(ratio_1d|_30d)$/.test(record)));
  await writeFile(join(folder, 'month.json'), JSON.stringify({ groups: [{ name: 'month', rules }] }));
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @throws Error with what promtool printed */
async function promtoolSays(args: string[]): Promise<string> {
  const { stdout } = await run(promtool, args).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
  });
  return stdout;
}

let number = 0;
async function test(content: string): Promise<string> {
  number += 1;
  const file = join(folder, `${number}.json`);
  await writeFile(file, content);
  return promtoolSays(['test', 'rules', file]);
}

it('every rule is one that Prometheus takes', async () => {
  expect(await promtoolSays(['check', 'rules', '--lint-fatal', join(folder, 'rules.json')])).toContain('SUCCESS');
});

describe('an alert', () => {
  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s has stories in which it fires and clears', (alert) => {
    const own = STORIES.filter((story) => story.alert === alert);
    expect(own.some(({ fires }) => Object.keys(fires).length > 0)).toBe(true);
    // before and after
    expect(own.some(({ fires, quiet }) => Object.keys(fires).length > 0 && quiet.length > 1)).toBe(true);
  });

  it.each(alerts.map((rule) => [rule.alert, rule] as const))('%s tells a person what to do', (alert, rule) => {
    expect(rule.labels?.['severity']).toMatch(/^(critical|warning)$/);
    expect(rule.annotations?.['summary']?.length).toBeLessThan(130);
    expect(rule.annotations?.['description']).toMatch(/^([A-Z]|\{\{).{60,}(\.|--overwrite)$/);
    expect(rule.annotations?.['runbook_url']).toBe(`${RUNBOOKS}/${alert}.md`);
    expect(JSON.stringify(rule), 'a value that was left out').not.toContain('${');
  });

  it('is known to each story', () => {
    expect([...new Set(STORIES.map(({ alert }) => alert))].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  // a story may be a day of samples
  it.each(STORIES.map((story) => [story.alert, story.what, story] as const))(
    '%s: %s',
    async (_, __, story) => {
      expect(await test(promtoolTest(story, 'rules.json'))).toContain('SUCCESS');
    },
    120_000,
  );

  it('that does not do what its story says is found', async () => {
    const [story] = STORIES;
    const wrong = promtoolTest({ ...story!, quiet: ['13m'], fires: {} }, 'rules.json');
    await expect(test(wrong)).rejects.toThrow(/FAILED/);
  });
});

describe('what is recorded', () => {
  const LABELS = '{namespace="media",klingapi="studio"}';
  const series = (values: Record<string, string>) =>
    Object.entries(values).map(([name, text]) => ({ series: name, values: text }));
  const recorded = (shown: { interval: string; [field: string]: unknown }): Promise<string> =>
    test(JSON.stringify({ rule_files: ['month.json'], evaluation_interval: shown.interval, tests: [shown] }));

  const DAY = 86_400;
  const CREATED = 'klingoperator_created_timestamp_seconds';
  const DOWN = 'klingoperator_mcp_down_seconds_total';
  /** What is shown of 30 days: the part with MCP, and the part of 0.1 % that is left. */
  const month = (at: string, unavailable: Record<string, number>) =>
    (
      [
        ['klingapi:mcp_availability:ratio_30d', 100_000, (part: number) => 1 - part],
        ['klingapi:mcp_error_budget_left:ratio_30d', 100, (part: number) => 1 - part / 0.001],
      ] as const
    ).map(([record, steps, of]) => ({
      expr: `round(${steps} * ${record})`,
      eval_time: at,
      exp_samples: Object.entries(unavailable).map(([labels, part]) => ({
        labels,
        value: Math.round(steps * of(part)),
      })),
    }));

  it('availability of 30 days and the budget that is left, after 13 minutes without MCP in its first hour', async () => {
    const input = series({
      [`${CREATED}${LABELS}`]: held([0, 63]),
      [`${DOWN}${LABELS}`]: counted([0, 10], [60, 13], [0, 40]),
    });
    const promql_expr_test = month('50m', { [LABELS]: 780 / 2_592_000 });
    expect(await recorded({ interval: '1m', input_series: input, promql_expr_test })).toContain('SUCCESS');
  });

  it('of an older KlingApi is what Prometheus still has, and a week at least', { timeout: 180_000 }, async () => {
    // the ten days that kube-prometheus-stack keeps, in steps of five minutes
    const of = (klingapi: string) => `{namespace="media",klingapi="${klingapi}"}`;
    const [always, young, turnedOn] = [of('always'), of('young'), of('turned-on')];
    const input = series({
      [`${CREATED}${always}`]: held([-50 * DAY, 2881]),
      [`${DOWN}${always}`]: counted([0.3, 2881]),
      [`${CREATED}${young}`]: held([null, 1440], [5 * DAY, 1441]),
      [`${DOWN}${young}`]: counted([null, 1440], [0, 700], [43.2, 10], [0, 731]),
      [`${CREATED}${turnedOn}`]: held([null, 2868], [-50 * DAY, 13]),
      [`${DOWN}${turnedOn}`]: counted([null, 2868], [0, 5], [20, 1], [0, 7]),
    });
    const promql_expr_test = month('10d', {
      [always]: 0.001,
      [turnedOn]: 20 / (7 * DAY),
      [young]: 432 / 2_592_000,
    });
    expect(await recorded({ interval: '5m', input_series: input, promql_expr_test })).toContain('SUCCESS');
  });

  it('stays while the operator is away for an hour, and goes on with the next one', async () => {
    const of = (pod: string) => LABELS.replace('}', `,pod="${pod}"}`);
    const [before, after] = [of('kling-operator-1'), of('kling-operator-2')];
    const input = series({
      [`${CREATED}${before}`]: held([0, 40]),
      [`${DOWN}${before}`]: counted([0, 20], [60, 13], [0, 7]),
      [`${CREATED}${after}`]: held([null, 100], [0, 40]),
      [`${DOWN}${after}`]: counted([null, 100], [0, 10], [60, 5], [0, 25]),
    });
    const promql_expr_test = [
      ...['39m', '50m', '99m'].flatMap((at) => month(at, { [LABELS]: 780 / 2_592_000 })),
      ...month('135m', { [LABELS]: 1_080 / 2_592_000 }),
    ];
    expect(await recorded({ interval: '1m', input_series: input, promql_expr_test })).toContain('SUCCESS');
  });

  it('of a KlingApi that is gone for a day is nothing', async () => {
    // of one that is still there, the operator goes on to speak
    const other = LABELS.replace('studio', 'other');
    const input = series({
      [`${CREATED}${LABELS}`]: held([0, 20], [null, 280]),
      [`${DOWN}${LABELS}`]: held([9, 20]),
      [`${CREATED}${other}`]: held([0, 320]),
      [`${DOWN}${other}`]: held([9, 320]),
    });
    const promql_expr_test = [...month('25h', { [LABELS]: 0, [other]: 0 }), ...month('26h', { [other]: 0 })];
    expect(await recorded({ interval: '5m', input_series: input, promql_expr_test })).toContain('SUCCESS');
  });

  it('the time to repair, as mean and as what nineteen of twenty repairs stay under', async () => {
    const histogram = {
      'klingoperator_repair_seconds_bucket{namespace="media",le="15"}': counted([0, 10], [1, 10], [0, 20]),
      'klingoperator_repair_seconds_bucket{namespace="media",le="20"}': counted([0, 10], [2, 10], [0, 20]),
      'klingoperator_repair_seconds_bucket{namespace="media",le="+Inf"}': counted([0, 10], [2, 10], [0, 20]),
      'klingoperator_repair_seconds_sum{namespace="media"}': counted([0, 10], [32, 10], [0, 20]),
      'klingoperator_repair_seconds_count{namespace="media"}': counted([0, 10], [2, 10], [0, 20]),
      'klingoperator_repair_seconds_count{namespace="quiet"}': held([0, 40]),
    };
    const promql = [
      ['mean', 16],
      ['p95', 19.5],
    ].map(([name, value]) => ({
      expr: `round(namespace:mcp_time_to_repair_seconds:${name}_7d, 0.01)`,
      eval_time: '38m',
      exp_samples: [{ labels: '{namespace="media"}', value }],
    }));
    expect(
      await test(
        JSON.stringify({
          rule_files: ['rules.json'],
          evaluation_interval: '1m',
          tests: [{ interval: '1m', input_series: series(histogram), promql_expr_test: promql }],
        }),
      ),
    ).toContain('SUCCESS');
  });
});

describe('values of the chart', () => {
  it('change one alert, turn another off, and a threshold of 0 turns off what it is for', async () => {
    const changed = alertsOf(
      await chartRules([
        'alerts.KlingApiMcpNotServing.for=5s',
        'alerts.KlingApiMcpNotServing.severity=page',
        'alerts.KlingApiStalled.enabled=false',
        'alertLabels.team=media',
        'objectivePercent=99.5',
        'thresholds.repairsInWindow=0',
      ]),
    );
    const find = (name: string) => changed.find(({ alert }) => alert === name);
    expect(find('KlingApiMcpNotServing')).toMatchObject({ for: '5s', labels: { severity: 'page', team: 'media' } });
    expect(find('KlingApiStalled')).toBeUndefined();
    expect(find('KlingApiRepairedTooOften')).toBeUndefined();
    expect(find('KlingApiSpendNearLimit'), 'off by default').toBeUndefined();
    expect(find('KlingApiErrorBudgetBurnsFast')?.expr).toContain('14.4 * 0.005 ');
    expect(find('KlingOperatorReconcileErrors')?.annotations?.['description']).toContain(
      `kubectl logs -n ${RELEASE.namespace} -l app.kubernetes.io/name=kling-operator,app.kubernetes.io/instance=${RELEASE.name} --prefix`,
    );
    expect(find('KlingOperatorAbsent')?.expr).toBe(
      `absent(up{namespace="${RELEASE.namespace}",job="${RELEASE.name}-metrics"} == 1)`,
    );
  });

  it('read as people write numbers, also from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'values-'));
    const file = join(folder, 'values.yaml');
    await writeFile(
      file,
      'monitoring: { prometheusRule: { thresholds: { unitsPerDay: 2000000, taskFailureRatio: 0.25 } } }',
    );
    const made = alertsOf(await chartRules([], ['--values', file]))
      .map((rule) => JSON.stringify(rule))
      .join('\n');
    await rm(folder, { recursive: true });
    expect(made).toContain('more than four fifths of 2000000 units');
    expect(made).toContain('> 0.8 * 2000000"');
    expect(made).toContain('> 0.25\\n');
    expect(made).not.toMatch(/\de\+/);
  });

  it.each([
    [['runbookUrl='], 'monitoring.prometheusRule.runbookUrl is not set'],
    [['alerts.KlingApiMcpNotServin.for=5m'], 'there is no such alert; there are KlingApiApiDown, '],
    [['alerts.KlingApiStalled.for=soon'], '/monitoring/prometheusRule/alerts/KlingApiStalled/for'],
    [['objectivePercent=100'], '/monitoring/prometheusRule/objectivePercent'],
  ])('%j is refused with the reason', async (values, message) => {
    await expect(chartRules(values)).rejects.toThrow(message);
  });
});
