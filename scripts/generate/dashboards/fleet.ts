/** All KlingApis at a glance, and the operator that looks after them. */
import type { Dashboard } from './panel.ts';

const IN = 'namespace=~"$namespace"';
/** Names of controller-runtime and of Node are those of many programs: what is asked for here is the operators' alone. */
const OPERATOR = 'app="operator",job=~"$operator"';
const condition = (type: string): string =>
  `max by (namespace, klingapi) (klingoperator_condition{${IN},type="${type}"})`;
const notServing = `(${condition('McpAvailable')} == 0) and on (namespace, klingapi) (max by (namespace, klingapi) (klingoperator_mcp_pods_wanted{${IN}}) > 0)`;

export const fleet: Dashboard = {
  uid: 'kling-fleet',
  title: 'Kling / Fleet',
  description: 'Every KlingApi: what serves, what was repaired, what needs a person; and the operator itself.',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(klingoperator_mcp_pods, namespace)', all: 'any' },
    {
      name: 'operator',
      label: 'Operator',
      query: 'label_values(klingoperator_reflector_down_seconds, job)',
      all: 'listed',
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'KlingApis',
          answers: 'How many are there?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: `count(${condition('Ready')})` }],
          steps: ['text'],
        },
        {
          title: 'Speak no MCP',
          answers: 'How many serve nobody?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: `count(${notServing}) or vector(0)` }],
          steps: ['green', [1, 'red']],
        },
        {
          title: 'Repairs exhausted',
          answers: 'For how many has the operator given up?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: `sum(max by (namespace, klingapi) (klingoperator_remediation_exhausted{${IN}}))` }],
          steps: ['green', [1, 'red']],
        },
        {
          title: 'Held back by a storm',
          answers: 'How many are not repaired because many fell silent at once?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: `count(${condition('StormActive')} == 1) or vector(0)` }],
          steps: ['green', [1, 'red']],
        },
        {
          title: 'Firing alerts',
          answers: 'What would wake somebody?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: 'count(ALERTS{alertname=~"Kling.*",alertstate="firing"}) or vector(0)' }],
          steps: ['green', [1, 'orange']],
        },
        {
          title: 'Operators that lead',
          answers: 'Is there one, and only one for each release?',
          kind: 'stat',
          width: 4,
          queries: [{ expr: `sum(leader_election_master_status{${OPERATOR}}) or vector(0)` }],
          steps: ['red', [1, 'green']],
        },
        {
          title: 'KlingApis',
          answers: 'Which of them needs a look?',
          kind: 'table',
          width: 24,
          height: 9,
          unit: 'short',
          queries: [
            { expr: `max by (namespace, klingapi) (klingoperator_mcp_pods_serving{${IN}})`, legend: 'MCP serving' },
            { expr: `max by (namespace, klingapi) (klingoperator_mcp_pods_wanted{${IN}})`, legend: 'MCP wanted' },
            { expr: `max by (namespace, klingapi) (klingoperator_api_pods_ready{${IN}})`, legend: 'API ready' },
            { expr: `max by (namespace, klingapi) (klingoperator_repairs_recent{${IN}})`, legend: 'Repairs in window' },
            { expr: `100 * klingapi:mcp_availability:ratio_30d{${IN}}`, legend: 'MCP over 30 days, %' },
            { expr: `100 * klingapi:mcp_error_budget_left:ratio_30d{${IN}}`, legend: 'Error budget left, %' },
            { expr: `max by (namespace, klingapi) (klingoperator_exposed{${IN}})`, legend: 'Exposed (1 yes, 0 no)' },
          ],
        },
      ],
    },
    {
      title: 'Repairs',
      panels: [
        {
          title: 'What is wrong',
          answers: 'Which diagnoses hold, over all?',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: `sum by (diagnosis) (klingoperator_diagnosis{${IN}})`, legend: '{{diagnosis}}' }],
        },
        {
          title: 'Repairs that ended',
          answers: 'Do repairs help?',
          kind: 'timeseries',
          stacked: true,
          queries: [
            {
              expr: `sum by (diagnosis, outcome) (increase(klingoperator_repairs_total{${IN}}[1h]))`,
              legend: '{{diagnosis}} {{outcome}}',
            },
          ],
        },
        {
          title: 'Time to repair',
          answers: 'From the first failed handshake to the first good one: how long?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            { expr: `namespace:mcp_time_to_repair_seconds:mean_7d{${IN}}`, legend: '{{namespace}} mean of 7 days' },
            { expr: `namespace:mcp_time_to_repair_seconds:p95_7d{${IN}}`, legend: '{{namespace}} p95 of 7 days' },
          ],
        },
      ],
    },
    {
      title: 'Operator',
      panels: [
        {
          title: 'Looks',
          answers: 'Does it work, and do its looks succeed?',
          kind: 'timeseries',
          unit: 'reqps',
          width: 6,
          queries: [
            {
              expr: `sum by (result) (rate(controller_runtime_reconcile_total{${OPERATOR}}[$__rate_interval]))`,
              legend: '{{result}}',
            },
          ],
        },
        {
          title: 'Time of a look',
          answers: 'How long does one KlingApi take?',
          kind: 'timeseries',
          unit: 's',
          width: 6,
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le) (rate(controller_runtime_reconcile_time_seconds_bucket{${OPERATOR}}[$__rate_interval])))`,
              legend: 'p95',
            },
          ],
        },
        {
          title: 'Waiting',
          answers: 'Do KlingApis wait for their turn?',
          kind: 'timeseries',
          width: 6,
          queries: [{ expr: `sum by (priority) (workqueue_depth{${OPERATOR}})`, legend: '{{priority}}' }],
        },
        {
          title: 'Caches without a watch',
          answers: 'Does it decide by what is old?',
          kind: 'timeseries',
          unit: 's',
          width: 6,
          queries: [{ expr: `max by (kind) (klingoperator_reflector_down_seconds{${OPERATOR}})`, legend: '{{kind}}' }],
        },
        {
          title: 'Calls to the API server',
          answers: 'What does it ask for, and is it refused?',
          kind: 'timeseries',
          unit: 'reqps',
          width: 12,
          queries: [
            {
              expr: `sum by (method, code) (rate(rest_client_requests_total{${OPERATOR}}[$__rate_interval]))`,
              legend: '{{method}} {{code}}',
            },
          ],
        },
        {
          title: 'Memory',
          answers: 'Does it grow?',
          kind: 'timeseries',
          unit: 'bytes',
          width: 12,
          queries: [{ expr: `sum by (pod) (process_resident_memory_bytes{${OPERATOR}})`, legend: '{{pod}}' }],
        },
      ],
    },
  ],
};
