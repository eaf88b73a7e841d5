/** One KlingApi: its promise, its pods, its clients. */
import type { Dashboard } from './panel.ts';

const OF = 'namespace="$namespace",klingapi="$klingapi"';
const own = (metric: string, more = ''): string => `${metric}{${OF}${more}}`;

export const klingapi: Dashboard = {
  uid: 'kling-klingapi',
  title: 'Kling / KlingApi',
  description: 'One KlingApi: whether it keeps its promise, what its pods say, who calls it.',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(klingoperator_mcp_pods, namespace)', all: false },
    {
      name: 'klingapi',
      label: 'KlingApi',
      query: 'label_values(klingoperator_mcp_pods{namespace="$namespace"}, klingapi)',
      all: false,
    },
  ],
  rows: [
    {
      title: 'Promise',
      panels: [
        {
          title: 'MCP over 30 days',
          answers: 'Was MCP there when clients wanted it?',
          kind: 'stat',
          unit: 'percentunit',
          width: 5,
          queries: [{ expr: own('klingapi:mcp_availability:ratio_30d') }],
          // a colour cannot know the objective that the release sets; the budget beside it does
          steps: ['text'],
        },
        {
          title: 'Error budget left',
          answers: 'How much time without MCP is left of what 30 days may have?',
          kind: 'stat',
          unit: 'percentunit',
          width: 5,
          queries: [{ expr: own('klingapi:mcp_error_budget_left:ratio_30d') }],
          steps: ['red', [0, 'orange'], [0.25, 'green']],
        },
        {
          title: 'Repairs in the window',
          answers: 'How many of the allowed repairs are used?',
          kind: 'stat',
          width: 5,
          queries: [
            { expr: `max(${own('klingoperator_repairs_recent')}) / max(${own('klingoperator_repairs_allowed')})` },
          ],
          unit: 'percentunit',
          steps: ['green', [0.5, 'orange'], [1, 'red']],
        },
        {
          title: 'Checks',
          answers: 'What did the newest verification find?',
          kind: 'stat',
          width: 9,
          queries: [{ expr: `max by (check) (${own('klingoperator_verification_check')})`, legend: '{{check}}' }],
          words: { '1': ['passed', 'green'], '0': ['failed', 'red'], '-1': ['inconclusive', 'yellow'] },
        },
        {
          title: 'Conditions',
          answers: 'What did the operator say of it, and when?',
          kind: 'state-timeline',
          width: 12,
          queries: [{ expr: `max by (type) (${own('klingoperator_condition')})`, legend: '{{type}}' }],
          words: { '1': ['True', 'blue'], '0': ['False', 'orange'], '-1': ['Unknown', 'yellow'] },
        },
        {
          title: 'Time without MCP',
          answers: 'When was it away, as a part of each five minutes?',
          kind: 'timeseries',
          unit: 'percentunit',
          width: 12,
          queries: [
            { expr: own('klingapi:mcp_unavailability:ratio_5m'), legend: '5 minutes' },
            { expr: own('klingapi:mcp_unavailability:ratio_1h'), legend: 'one hour' },
          ],
        },
      ],
    },
    {
      title: 'Pods',
      panels: [
        {
          title: 'MCP and API pods',
          answers: 'Are there as many as there should be?',
          kind: 'timeseries',
          queries: [
            { expr: `max(${own('klingoperator_mcp_pods_serving')})`, legend: 'MCP serving' },
            { expr: `max(${own('klingoperator_mcp_pods_wanted')})`, legend: 'MCP wanted' },
            { expr: `max(${own('klingoperator_api_pods_ready')})`, legend: 'API ready' },
          ],
        },
        {
          title: 'Diagnoses',
          answers: 'What is wrong? Each has a runbook of its name.',
          kind: 'timeseries',
          stacked: true,
          queries: [{ expr: `max by (diagnosis) (${own('klingoperator_diagnosis')})`, legend: '{{diagnosis}}' }],
        },
        {
          title: 'Handshakes',
          answers: 'What do the pods find when they ask themselves?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (pod, verdict) (rate(${own('klingapi_handshakes_total')}[$__rate_interval]))`,
              legend: '{{pod}} {{verdict}}',
            },
          ],
        },
        {
          title: 'Time of a handshake',
          answers: 'Does it come near the time limit?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (pod, le) (rate(${own('klingapi_handshake_duration_seconds_bucket')}[$__rate_interval])))`,
              legend: '{{pod}} p95',
            },
          ],
        },
        {
          title: 'Memory',
          answers: 'Which process grows?',
          kind: 'timeseries',
          unit: 'bytes',
          queries: [{ expr: own('process_resident_memory_bytes'), legend: '{{pod}} {{app}}' }],
        },
        {
          title: 'Event loop, p99',
          answers: 'Which process is too busy to answer?',
          kind: 'timeseries',
          unit: 's',
          queries: [{ expr: own('nodejs_eventloop_lag_p99_seconds'), legend: '{{pod}} {{app}}' }],
        },
      ],
    },
    {
      title: 'Clients (only of our own MCP server)',
      panels: [
        {
          title: 'Requests by method',
          answers: 'What do clients ask for?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (method) (rate(${own('klingapi_mcp_requests_total')}[$__rate_interval]))`,
              legend: '{{method}}',
            },
          ],
        },
        {
          title: 'Requests by status',
          answers: 'Are they refused?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (status) (rate(${own('klingapi_mcp_requests_total')}[$__rate_interval]))`,
              legend: '{{status}}',
            },
          ],
        },
        {
          title: 'Calls of tools',
          answers: 'Which tools are used?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (tool) (rate(${own('klingapi_mcp_requests_total', ',tool!=""')}[$__rate_interval]))`,
              legend: '{{tool}}',
            },
          ],
        },
        {
          title: 'Time of a request',
          answers: 'How long do clients wait?',
          kind: 'timeseries',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (method, le) (rate(${own('klingapi_mcp_request_duration_seconds_bucket')}[$__rate_interval])))`,
              legend: '{{method}} p95',
            },
          ],
        },
        {
          title: 'Open requests',
          answers: 'How many wait at this moment?',
          kind: 'timeseries',
          queries: [{ expr: own('klingapi_mcp_requests_in_flight'), legend: '{{pod}}' }],
        },
        {
          title: 'Client programs',
          answers: 'Who calls, and in which era of the protocol?',
          kind: 'timeseries',
          unit: 'reqps',
          queries: [
            {
              expr: `sum by (client, era) (rate(${own('klingapi_mcp_client_requests_total')}[$__rate_interval]))`,
              legend: '{{client}} {{era}}',
            },
          ],
        },
      ],
    },
  ],
};
