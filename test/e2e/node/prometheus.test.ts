/**
 * The real Prometheus, run by the real Prometheus operator: what is scraped, the alert of a fault that nobody repairs, and its end
 * after the repair. Here, and not beside other cases: for as long as it runs, every operator of the cluster sees the kind ServiceMonitor.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { kubeconfigPath } from '../../cluster/index.ts';
import { scriptOf } from '../../docs/script.ts';
import { alertsOf, chartRules } from '../../monitoring/chart-rules.ts';
import { dashboards, queriesOf } from '../../monitoring/dashboards.ts';
import { fileOf, promtoolOfKubernetes, startPlain, typeBeside } from '../../monitoring/plain.ts';
import { installDefinitions, type Prometheus, removeDefinitions, startPrometheus } from '../../monitoring/stack.ts';
import { alive, type Case, createCase } from '../case.ts';
import { legacyClient, serviceFetch } from '../client.ts';
import { breakPod, faulty, PYTHON_IMAGE } from '../faults.ts';
import { getJson, type Json, kubectl } from '../kubectl.ts';
import { waitFor } from '../wait.ts';

const RUNBOOKS = 'https://runbooks.example.com';
/** The alert comes within seconds; what a repair takes at this pace is still less. */
const VALUES = [
  'monitoring.serviceMonitor.enabled=true',
  'monitoring.prometheusRule.enabled=true',
  `monitoring.prometheusRule.runbookUrl=${RUNBOOKS}`,
  'monitoring.prometheusRule.alerts.KlingApiMcpNotServing.for=5s',
];

/** What has an answer only while something is wrong, where Kling refuses, or with a public URL. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  'Kling / Fleet: KlingApis G',
  'Kling / Fleet: What is wrong',
  'Kling / KlingApi: Diagnoses',
  'Kling / Money and tasks: Places at Kling A',
  'Kling / Money and tasks: Places at Kling B',
  'Kling / Money and tasks: Errors of Kling',
]);

const OPERATOR_JOB = 'operator-kling-operator-metrics';
const script = await scriptOf('docs/monitoring.md');

let kase: Case;
let prometheus: Prometheus;
const upstream = { provider: 'Sandbox' };
const unrepaired = { upstream, mcp: faulty, remediation: { mode: 'DryRun', unhealthySeconds: 3 } };

beforeAll(async () => {
  await installDefinitions();
  kase = await createCase('prometheus', { values: VALUES });
  await hurryRules();
  await kase.apply(unrepaired);
  await kase.apply({ upstream, mcp: { image: PYTHON_IMAGE, replicas: 1 } }, 'other');
  prometheus = await startPrometheus(kase.namespace);
  await kase.ready('studio', 400_000);
  await kase.ready('other', 400_000);
}, 1_200_000);
afterAll(async () => {
  await kase?.remove();
  await removeDefinitions();
}, 300_000);

/** What looks over days is evaluated every five minutes, and so at first after as long. */
async function hurryRules(): Promise<void> {
  const { items } = await getJson(['get', 'prometheusrules', '-n', kase.namespace]);
  for (const { metadata, spec } of items) {
    const groups = spec.groups.map((group: Json) => (group.interval === '5m' ? { ...group, interval: '15s' } : group));
    const patch = JSON.stringify({ spec: { groups } });
    await kubectl(['patch', 'prometheusrule', metadata.name, '-n', kase.namespace, '--type=merge', '-p', patch]);
  }
}

/** The page's configuration for the names of this case: from outside the cluster, and hasty. */
async function plainConfig(): Promise<string> {
  const config = parse(fileOf(script.page, 'prometheus.yaml'));
  const discovery = { role: 'pod', kubeconfig_file: await kubeconfigPath(), namespaces: { names: [kase.namespace] } };
  const jobs = config.scrape_configs.map((job: Json) => ({
    ...job,
    job_name: job.job_name.replace(/^kling-operator/, 'operator-kling-operator'),
    kubernetes_sd_configs: [discovery],
  }));
  const global = { scrape_interval: '2s', evaluation_interval: '2s' };
  return stringify({ ...config, global, scrape_configs: jobs });
}

async function namedAlike(of: Prometheus): Promise<void> {
  const query = `klingapi_handshakes_total{verdict="Serving"} * on (namespace, klingapi) group_left klingoperator_mcp_pods_serving`;
  const found = await waitFor(
    async () => {
      const samples = await of.query(query);
      return samples.length === 3 && samples;
    },
    { what: 'handshakes of three pods beside what the operator says', timeoutMs: 60_000 },
  );
  expect(found.map(({ metric }) => metric['klingapi']).sort()).toEqual(['other', 'studio', 'studio']);
  for (const { metric } of found) expect(metric['namespace']).toBe(kase.namespace);
}

const active = async (): Promise<Json[]> => (await prometheus.data('targets?state=active')).activeTargets;
const firing = async (alert: string): Promise<Json[]> =>
  (await prometheus.data('alerts')).alerts.filter(
    (each: Json) => each.labels.alertname === alert && each.state === 'firing',
  );

describe('with ServiceMonitors alone', () => {
  it('Prometheus reaches operator, API, MCP and the probe beside a foreign server', async () => {
    const jobs = await waitFor(
      async () => {
        const targets = await active();
        const up = targets
          .filter(({ health }) => health === 'up')
          .map(({ labels }) => `${labels.job} ${labels.container}`);
        const wanted = [
          `${OPERATOR_JOB} operator`,
          'studio-mcp mcp',
          'studio-api api',
          'other-mcp probe',
          'other-api api',
        ];
        if (wanted.every((each) => up.includes(each)) && targets.every(({ health }) => health === 'up')) return up;
        throw new Error(
          JSON.stringify(
            targets.map(({ labels, health, lastError }) => [labels.job, labels.container, health, lastError]),
          ),
        );
      },
      { what: 'every target to be up', timeoutMs: 120_000, everyMs: 1_000 },
    );
    // both pods, each on its own
    expect(jobs.filter((each) => each === 'studio-mcp mcp')).toHaveLength(2);
    expect(jobs).toHaveLength(6);
  });

  it('series of operator and services name the KlingApi alike', () => namedAlike(prometheus));
});

describe('the rules', () => {
  it('are all taken and evaluated without an error', async () => {
    const expected = (await chartRules())
      .flatMap(({ rules }) => rules.map(({ alert, record }) => alert ?? record))
      .sort();
    await waitFor(
      async () => {
        const rules = (await prometheus.data('rules')).groups.flatMap((group: Json) => group.rules);
        expect(rules.map(({ name }: Json) => name).sort()).toEqual(expected);
        for (const { name, health, lastError } of rules)
          expect({ name, health, lastError }).toEqual({ name, health: 'ok', lastError: undefined });
        return true;
      },
      { what: 'all rules to be evaluated', timeoutMs: 60_000, everyMs: 1_000 },
    );
  });

  it('have no alert for a healthy KlingApi', async () => {
    const pending = (await prometheus.data('alerts')).alerts.map(
      ({ labels, state }: Json) => `${labels.alertname} ${state}`,
    );
    expect(pending).toEqual([]);
  });
});

describe('a Prometheus without its operator', () => {
  it('scrapes what docs/monitoring.md says, with labels by which rules and dashboards find it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kling-plain-prometheus-'));
    const adapt = (command: string): string =>
      command
        .replace('helm template kling-operator', 'helm template operator')
        .replace('-n kling-system', `-n ${kase.namespace}`);
    const promtool = await promtoolOfKubernetes();
    const said = await typeBeside({
      folder,
      config: await plainConfig(),
      commands: script.commands(),
      promtool,
      adapt,
    });
    expect(said).toContain('prometheus.yaml is valid');
    const plain = await startPlain(folder);
    try {
      await namedAlike(plain);
      const up = await plain.query('up == 1');
      expect(up.map(({ metric }) => `${metric['job']} ${metric['klingapi'] ?? '-'}`).sort()).toEqual([
        'klingapi other',
        'klingapi other',
        'klingapi studio',
        'klingapi studio',
        'klingapi studio',
        `${OPERATOR_JOB} -`,
      ]);
      const led = await plain.query(`leader_election_master_status{app="operator",job=~"${OPERATOR_JOB}"}`);
      expect(led.map(({ metric, value }) => [metric['namespace'], value[1]])).toEqual([[kase.namespace, '1']]);
      const absent = async (): Promise<Json> =>
        (await plain.data('rules')).groups
          .flatMap(({ rules }: Json) => rules)
          .find(({ name, health }: Json) => name === 'KlingOperatorAbsent' && health === 'ok');
      const rule = await waitFor(absent, { what: 'KlingOperatorAbsent to be evaluated', timeoutMs: 60_000 });
      // pending while the first scrape was out
      await waitFor(async () => (await absent())?.state === 'inactive', { what: `${rule.query} to be nothing` });
    } finally {
      await plain.stop();
      await rm(folder, { recursive: true });
    }
  }, 600_000);
});

describe('a session manager that dies where nobody repairs', () => {
  it('raises the alert with its runbook, which ends after the repair', { timeout: 400_000 }, async () => {
    for (const pod of alive(await kase.mcpPods())) await breakPod(kase, pod, 'session-manager');
    const [alert] = await waitFor(
      async () => {
        const all = await firing('KlingApiMcpNotServing');
        return all.length > 0 && all;
      },
      { what: 'KlingApiMcpNotServing to fire', timeoutMs: 120_000, everyMs: 1_000 },
    );
    expect(alert.labels).toEqual({
      alertname: 'KlingApiMcpNotServing',
      severity: 'critical',
      namespace: kase.namespace,
      klingapi: 'studio',
    });
    expect(alert.annotations.runbook_url).toBe(`${RUNBOOKS}/KlingApiMcpNotServing.md`);
    expect(alert.annotations.summary).toBe(`${kase.namespace}/studio speaks no MCP`);
    expect(alert.annotations.description).toContain(`kubectl describe klingapi studio -n ${kase.namespace}`);
    // the month's budget goes in minutes: 52 s of an hour, at 14.4 times what is allowed
    const burning = await waitFor(async () => (await firing('KlingApiErrorBudgetBurnsFast'))[0], {
      what: 'KlingApiErrorBudgetBurnsFast to fire',
      timeoutMs: 120_000,
      everyMs: 1_000,
    });
    expect(burning.labels).toMatchObject({ namespace: kase.namespace, klingapi: 'studio', severity: 'critical' });
    const [down] = await prometheus.query(`klingoperator_mcp_down_seconds_total{klingapi="studio"}`);
    expect(Number(down?.value[1])).toBeGreaterThan(50);
    // the other one is none of it
    expect((await firing('KlingApiMcpNotServing')).map(({ labels }) => labels.klingapi)).toEqual(['studio']);

    await kubectl([
      'patch',
      'klingapi',
      'studio',
      '-n',
      kase.namespace,
      '--type=merge',
      '-p',
      JSON.stringify({ spec: { remediation: { mode: 'Auto' } } }),
    ]);
    await kase.repaired(1);
    await waitFor(async () => (await firing('KlingApiMcpNotServing')).length === 0, {
      what: 'KlingApiMcpNotServing to end',
      timeoutMs: 60_000,
      everyMs: 500,
    });
    const repaired = await waitFor(
      async () => (await prometheus.query(`klingoperator_repairs_recent{klingapi="studio"} > 0`))[0],
      {
        what: 'the repair to be counted',
      },
    );
    expect(Number(repaired?.value[1])).toBeGreaterThanOrEqual(1);
    expect(alertsOf(await chartRules()).length).toBeGreaterThan(15);
  });
});

describe('the dashboards', () => {
  it('have an answer to each question that a KlingApi answers that was repaired and serves', async () => {
    // what clients leave behind in the metrics
    const service = await serviceFetch(kase.namespace);
    const client = await legacyClient({ url: kase.mcpUrl(), key: await kase.callerKey(), fetch: service.fetch });
    try {
      await client.listTools();
      expect((await client.callTool('list_tasks_tool')).isError ?? false).toBe(false);
    } finally {
      await client.close();
      await service.close();
    }
    const values = { namespace: kase.namespace, klingapi: 'studio', operator: OPERATOR_JOB, __rate_interval: '1m' };
    const asked = (await dashboards()).flatMap((dashboard) => queriesOf(dashboard, values));
    expect(asked.length).toBeGreaterThan(50);
    await waitFor(
      async () => {
        const answers = await Promise.all(
          asked.map(async ({ where, expr }) => ({ where, count: (await prometheus.query(expr)).length })),
        );
        const empty = answers.filter(({ count }) => count === 0).map(({ where }) => where);
        const surprising = empty.filter((where) => !MAY_BE_EMPTY.has(where));
        // nothing is excused that has an answer once the repair is long over
        const answered = [...MAY_BE_EMPTY].filter((where) => !empty.includes(where));
        if (surprising.length + answered.length > 0) throw new Error(JSON.stringify({ surprising, answered }));
        return true;
      },
      { what: 'an answer to each query but the excused ones', timeoutMs: 200_000, everyMs: 5_000 },
    );
  }, 240_000);
});
