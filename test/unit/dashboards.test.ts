/** Grafana takes the dashboards, Prometheus their queries, and there is such a metric for each. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allMetrics } from '../../scripts/generate/metrics-page.ts';
import { alertsOf, chartRules } from '../monitoring/chart-rules.ts';
import { dashboards, queriesOf, selectorsIn } from '../monitoring/dashboards.ts';
import { goProgram } from '../monitoring/go-programs.ts';
import { prometheusPrograms } from '../monitoring/programs.ts';

const run = promisify(execFile);
const VALUES = {
  namespace: 'media',
  klingapi: 'studio',
  operator: 'kling-operator-metrics',
  __rate_interval: '1m',
  __range: '6h',
};
const all = await dashboards();
const groups = await chartRules(['thresholds.unitsPerDay=1000']);
const asked = all.flatMap((dashboard) => queriesOf(dashboard, VALUES));
const rules = groups.flatMap((group) => group.rules);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dashboards-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const failure = async (file: string, args: string[]): Promise<string> =>
  run(file, args).then(
    () => '',
    (error: Error & { stdout?: string; stderr?: string }) =>
      `${error.stdout ?? ''}${error.stderr ?? ''}` || error.message,
  );

describe('the dashboards', () => {
  it('are as the types of Grafana want them, to the last field', { timeout: 600_000 }, async () => {
    const program = await goProgram('dashboards');
    expect(
      await failure(
        program,
        all.map(({ path }) => path),
      ),
    ).toBe('');
    // and the reader finds what is wrong
    const text = await readFile(all[0]!.path, 'utf8');
    const wrong = join(folder, 'wrong.json');
    await writeFile(wrong, text.replace('"expr":', '"exprs":'));
    expect(await failure(program, [wrong])).toMatch(/unexpected field 'exprs'/);
    await writeFile(wrong, text.replace('"h": 1,', '"h": "one",'));
    expect(await failure(program, [wrong])).toMatch(/gridPos/);
  });

  it('say in each panel which question it answers', () => {
    for (const { panels } of all)
      for (const { type, title, description } of panels)
        if (type !== 'row') expect(description, title).toMatch(/^[A-Z].*[?.]/);
    for (const { title, panels } of all) {
      const titles = panels.map((panel) => panel.title);
      expect(new Set(titles).size, title).toBeGreaterThan(titles.length - 2);
    }
  });

  it('do not lay one panel over another', () => {
    for (const { title, panels } of all) {
      const taken = new Map<string, string>();
      for (const panel of panels) {
        const { x, y, w, h } = panel['gridPos'] as { x: number; y: number; w: number; h: number };
        expect(x + w, panel.title).toBeLessThanOrEqual(24);
        for (let column = x; column < x + w; column += 1)
          for (let line = y; line < y + h; line += 1) {
            expect(taken.get(`${column},${line}`), `${title}: ${panel.title}`).toBeUndefined();
            taken.set(`${column},${line}`, panel.title);
          }
      }
    }
  });

  it('ask Prometheus what it understands', async () => {
    const { promtool } = await prometheusPrograms();
    const file = join(folder, 'queries.json');
    const record = ({ expr }: { expr: string }, index: number) => ({ record: `query:${index}`, expr });
    await writeFile(file, JSON.stringify({ groups: [{ name: 'queries', rules: asked.map(record) }] }));
    expect(await failure(promtool, ['check', 'rules', file])).toBe('');
  }, 300_000);

  it('have no variable without a value', () => {
    for (const { where, expr } of asked) expect(expr, where).not.toContain('$');
  });
});

describe('each metric that is asked for', () => {
  const labels = new Map<string, Set<string>>();
  for (const metrics of Object.values(allMetrics()))
    for (const { name, type, labelNames } of metrics)
      for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
        labels.set(`${name}${suffix}`, new Set([...(labels.get(`${name}${suffix}`) ?? []), ...labelNames, 'le']));
  const records = new Set(rules.flatMap(({ record }) => (record === undefined ? [] : [record])));
  /** Those that a scrape gives to every series. */
  const scraped = ['namespace', 'klingapi', 'pod', 'job', 'app'];

  it.each([...asked, ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? '', expr }))])(
    '$where: exists, with its labels',
    ({ expr, where }) => {
      const selectors = selectorsIn(expr).filter(({ name }) => name !== 'namespace' && name !== 'klingapi');
      if (!expr.includes('ALERTS') && !expr.includes('up{')) expect(selectors.length, where).toBeGreaterThan(0);
      for (const { name, labels: wanted } of selectors) {
        expect(labels.has(name) || records.has(name), `${where}: ${name}`).toBe(true);
        for (const label of wanted)
          expect(
            scraped.includes(label) || (labels.get(name)?.has(label) ?? false),
            `${where}: ${label} of ${name}`,
          ).toBe(true);
      }
    },
  );

  it('there are alerts for it at all', () => expect(alertsOf(groups).length).toBeGreaterThan(15));
});
