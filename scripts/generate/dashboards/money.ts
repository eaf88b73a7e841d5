/** What the API spends, and what becomes of its tasks. */
import type { Dashboard } from './panel.ts';

const OF = 'namespace=~"$namespace",klingapi=~"$klingapi"';
const own = (metric: string, more = ''): string => `${metric}{${OF}${more}}`;
const hourly = (metric: string, by: string): string => `sum by (${by}) (increase(${own(metric)}[1h]))`;
const perSecond = (metric: string, by: string): string => `sum by (${by}) (rate(${own(metric)}[$__rate_interval]))`;
/** What each replica tells of the one store. */
const stored = (metric: string, by: string): string =>
  `sum by (${by}) (max by (namespace, klingapi, ${by}) (${own(metric)}))`;

export const money: Dashboard = {
  uid: 'kling-money',
  title: 'Kling / Money and tasks',
  description:
    'What the API service spends at Kling, and what becomes of its tasks. Exact sums, and who spends: kubectl kling usage.',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(klingoperator_mcp_pods, namespace)', all: 'any' },
    {
      name: 'klingapi',
      label: 'KlingApi',
      query: 'label_values(klingoperator_mcp_pods{namespace=~"$namespace"}, klingapi)',
      all: 'any',
    },
  ],
  rows: [
    {
      title: 'Money',
      panels: [
        {
          title: 'Units in 24 hours',
          answers: 'What did the last day take?',
          kind: 'stat',
          width: 6,
          queries: [{ expr: `sum(increase(${own('klingapi_charged_units_total')}[24h]))` }],
          steps: ['text'],
        },
        {
          title: 'List price in 24 hours',
          answers: 'What would that cost at the list price?',
          kind: 'stat',
          width: 6,
          queries: [
            {
              expr: `sum by (currency) (increase(${own('klingapi_charged_list_price_total')}[24h]))`,
              legend: '{{currency}}',
            },
          ],
          steps: ['text'],
        },
        {
          title: 'Tasks that fail',
          answers: 'Which part of the last hour’s tasks failed?',
          kind: 'stat',
          unit: 'percentunit',
          width: 6,
          queries: [
            {
              expr: `(sum(increase(${own('klingapi_tasks_ended_total', ',state="failed"')}[1h])) or vector(0)) / (sum(increase(${own('klingapi_tasks_ended_total')}[1h])) > 0)`,
            },
          ],
          steps: ['green', [0.1, 'orange'], [0.2, 'red']],
        },
        {
          title: 'Oldest waiting task',
          answers: 'For how long has somebody waited for room at Kling?',
          kind: 'stat',
          unit: 's',
          width: 6,
          queries: [{ expr: `max(${own('klingapi_oldest_task_age_seconds', ',state="queued"')})` }],
          steps: ['green', [300, 'orange'], [900, 'red']],
        },
        {
          title: 'Charged units by KlingApi',
          answers: 'Who spends?',
          kind: 'timeseries',
          stacked: true,
          queries: [
            {
              expr: hourly('klingapi_charged_units_total', 'namespace, klingapi'),
              legend: '{{namespace}}/{{klingapi}}',
            },
          ],
        },
        {
          title: 'Charged units by pack',
          answers: 'Which pack ends first?',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: hourly('klingapi_charged_units_total', 'pack'), legend: '{{pack}}' }],
        },
        {
          title: 'Estimated and charged',
          answers: 'Does Kling take what was foretold?',
          kind: 'timeseries',
          queries: [
            { expr: `sum(increase(${own('klingapi_estimated_units_total')}[1h]))`, legend: 'estimated' },
            { expr: `sum(increase(${own('klingapi_charged_units_total')}[1h]))`, legend: 'charged' },
          ],
        },
      ],
    },
    {
      title: 'Tasks',
      panels: [
        {
          title: 'Tasks by state',
          answers: 'Do they move, or pile up?',
          kind: 'timeseries',
          queries: [{ expr: stored('klingapi_tasks', 'state'), legend: '{{state}}' }],
        },
        {
          title: 'Tasks that ended',
          answers: 'How many, and how?',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: hourly('klingapi_tasks_ended_total', 'kind, state'), legend: '{{kind}} {{state}}' }],
        },
        {
          title: 'Time of a task',
          answers: 'How long does a caller wait for a result?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (kind, le) (rate(${own('klingapi_task_duration_seconds_bucket')}[$__rate_interval])))`,
              legend: '{{kind}} p95',
            },
          ],
        },
        {
          title: 'Age of the oldest task',
          answers: 'Does one stand still?',
          kind: 'timeseries',
          unit: 's',
          queries: [{ expr: `max by (state) (${own('klingapi_oldest_task_age_seconds')})`, legend: '{{state}}' }],
        },
        {
          title: 'Places at Kling',
          answers: 'Is more asked than the account may do at once?',
          kind: 'timeseries',
          queries: [
            { expr: stored('klingapi_slots_in_use', 'result'), legend: '{{result}} taken' },
            { expr: stored('klingapi_slots_limit', 'result'), legend: '{{result}} of' },
          ],
        },
        {
          title: 'Copies of results',
          answers: 'Are results safe before Kling deletes them?',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: hourly('klingapi_result_copies_total', 'outcome'), legend: '{{outcome}}' }],
        },
      ],
    },
    {
      title: 'Kling and the service',
      panels: [
        {
          title: 'Calls to Kling',
          answers: 'Does Kling answer?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [{ expr: perSecond('klingapi_upstream_seconds_count', 'outcome'), legend: '{{outcome}}' }],
        },
        {
          title: 'Time of a call to Kling',
          answers: 'Has Kling become slow?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (method, path, le) (rate(${own('klingapi_upstream_seconds_bucket')}[$__rate_interval])))`,
              legend: '{{method}} {{path}} p95',
            },
          ],
        },
        {
          title: 'Errors of Kling',
          answers: 'What does it complain of?',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: hourly('klingapi_upstream_errors_total', 'code'), legend: '{{code}}' }],
        },
        {
          title: 'Requests of callers',
          answers: 'What do callers get?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [{ expr: perSecond('http_requests_total', 'status'), legend: '{{status}}' }],
        },
        {
          title: 'Time of a request',
          answers: 'How long do callers wait?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (route, le) (rate(${own('http_request_duration_seconds_bucket')}[$__rate_interval])))`,
              legend: '{{route}} p95',
            },
          ],
        },
        {
          title: 'Refused for want of room',
          answers: 'Is the service overloaded, or its database?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            { expr: perSecond('klingapi_requests_shed_total', 'reason'), legend: 'shed: {{reason}}' },
            { expr: perSecond('klingapi_storage_errors_total', 'reason'), legend: 'database: {{reason}}' },
          ],
        },
      ],
    },
  ],
};
