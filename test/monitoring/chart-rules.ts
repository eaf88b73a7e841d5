/** The rules as the chart makes them, for promtool and for the real Prometheus. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { tools } from '../cluster/tools.ts';

const run = promisify(execFile);
const CHART = join(import.meta.dirname, '../../charts/kling-operator');

const texts = z.record(z.string(), z.string());
const ruleSchema = z.object({
  alert: z.string().optional(),
  record: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
});
export type Rule = z.output<typeof ruleSchema>;
const groupSchema = z.object({ name: z.string(), interval: z.string().optional(), rules: z.array(ruleSchema) });
const objectSchema = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ groups: z.array(groupSchema).optional() }).optional(),
});

export type RuleGroup = z.output<typeof groupSchema>;

export const RUNBOOKS = 'https://runbooks.example.com/kling';
/** Release and namespace that the stories speak of. */
export const RELEASE = { name: 'kling-operator', namespace: 'kling-system' };

/**
 * @param values of `monitoring.prometheusRule`, as `key=value`
 * @param more arguments of helm
 */
export async function chartRules(values: string[] = [], more: string[] = []): Promise<RuleGroup[]> {
  const { helm } = await tools();
  const own = ['enabled=true', `runbookUrl=${RUNBOOKS}/`, ...values].map((each) => `monitoring.prometheusRule.${each}`);
  const sets = ['image.registry=localhost', 'crds.install=false', ...own].flatMap((each) => ['--set', each]);
  const args = [
    'template',
    RELEASE.name,
    CHART,
    '--namespace',
    RELEASE.namespace,
    '--kube-version',
    '1.34.0',
    ...sets,
    ...more,
  ];
  const { stdout } = await run(helm, args, { maxBuffer: 16 << 20 });
  return parseAllDocuments(stdout)
    .map((document): unknown => document.toJS())
    .filter((object) => object !== null)
    .map((object) => objectSchema.parse(object))
    .flatMap(({ kind, spec }) => (kind === 'PrometheusRule' ? (spec?.groups ?? []) : []));
}

export const alertsOf = (groups: RuleGroup[]): (Rule & { alert: string })[] =>
  groups.flatMap(({ rules }) =>
    rules.flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }])),
  );
