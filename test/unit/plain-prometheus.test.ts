/** A Prometheus without its operator, as docs/monitoring.md says; test/e2e/node/prometheus.test.ts lets it scrape. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { pageOf, readPages } from '../docs/pages.ts';
import { readScript } from '../docs/script.ts';
import { chartRules, RELEASE } from '../monitoring/chart-rules.ts';
import { fileOf, typeBeside } from '../monitoring/plain.ts';
import { prometheusPrograms } from '../monitoring/programs.ts';

const script = readScript(pageOf(await readPages(), 'docs/monitoring.md'));
const config = fileOf(script.page, 'prometheus.yaml');
const labelsSchema = z.object({
  scrape_configs: z.array(
    z.looseObject({
      job_name: z.string(),
      honor_labels: z.boolean().default(false),
      relabel_configs: z.array(z.looseObject({ target_label: z.string().optional() })),
    }),
  ),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plain-prometheus-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('gets its rules out of the chart', { timeout: 300_000 }, async () => {
  const { promtool } = await prometheusPrograms();
  const made = script.command('helm template');
  const said = await typeBeside({ folder, config, commands: [made, script.command('promtool check rules')], promtool });
  expect(said).toMatch(/^ {2}SUCCESS: \d+ rules found$/m);
  const rules = z
    .object({ groups: z.unknown() })
    .parse(parse(await readFile(join(folder, 'kling-rules.yaml'), 'utf8')));
  const runbooks = /runbookUrl=(\S+)/.exec(made)?.[1];
  expect(rules.groups).toEqual(await chartRules([`runbookUrl=${runbooks}`]));
  expect(z.object({ rule_files: z.unknown() }).parse(parse(config)).rule_files).toEqual(['kling-rules.yaml']);
});

it('gives the labels that rules and dashboards go by', () => {
  const jobs = labelsSchema.parse(parse(config)).scrape_configs.map(({ job_name, honor_labels, relabel_configs }) => ({
    job_name,
    honor_labels,
    labels: relabel_configs.flatMap(({ target_label }) => target_label ?? []),
  }));
  expect(jobs).toEqual([
    { job_name: `${RELEASE.name}-metrics`, honor_labels: true, labels: ['namespace', 'pod'] },
    { job_name: 'klingapi', honor_labels: false, labels: ['namespace', 'pod', 'klingapi'] },
  ]);
});
