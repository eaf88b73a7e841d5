/** For each alert: a healthy time or one repair, in which it keeps quiet, the fault, and what comes after it. */
import { counted, held, type Story } from './story.ts';

const studio = { namespace: 'media', klingapi: 'studio' };
const LABELS = 'namespace="media",klingapi="studio"';
const OPERATOR = 'namespace="kling-system",job="kling-operator-metrics"';
const condition = (type: string): string => `klingoperator_condition{${LABELS},type="${type}"}`;
const exposed = (reason: string): string => `klingoperator_exposed{${LABELS},reason="${reason}"}`;
const WANTED = `klingoperator_mcp_pods_wanted{${LABELS}}`;
const upstream = (outcome: string): string =>
  `klingapi_upstream_seconds_count{${LABELS},pod="studio-api-0",outcome="${outcome}"}`;
const DOWN = `klingoperator_mcp_down_seconds_total{${LABELS}}`;

export const STORIES: Story[] = [
  {
    alert: 'KlingApiMcpNotServing',
    what: 'one repair of 45 s, then an outage of five minutes',
    interval: '15s',
    severity: 'critical',
    series: { [condition('McpAvailable')]: held([1, 20], [0, 3], [1, 17], [0, 20], [1, 20]), [WANTED]: held([2, 80]) },
    quiet: ['3m', '5m30s', '11m', '16m'],
    fires: { '13m': [studio] },
  },
  {
    alert: 'KlingApiMcpNotServing',
    what: 'scaled to nothing on purpose',
    interval: '15s',
    severity: 'critical',
    series: { [condition('McpAvailable')]: held([0, 80]), [WANTED]: held([0, 80]) },
    quiet: ['15m'],
    fires: {},
  },
  {
    alert: 'KlingApiMcpDegraded',
    what: 'one pod of two is away for half an hour',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingoperator_mcp_pods_serving{${LABELS}}`]: held([2, 10], [1, 30], [2, 10]),
      [WANTED]: held([2, 50]),
      [condition('McpAvailable')]: held([1, 50]),
    },
    quiet: ['20m', '45m'],
    fires: { '30m': [studio] },
  },
  {
    alert: 'KlingApiMcpDegraded',
    what: 'all are away, which has an alert of its own',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingoperator_mcp_pods_serving{${LABELS}}`]: held([0, 50]),
      [WANTED]: held([2, 50]),
      [condition('McpAvailable')]: held([0, 50]),
    },
    quiet: ['40m'],
    fires: {},
  },
  {
    alert: 'KlingApiRepairsExhausted',
    what: 'the budget is spent, until somebody asks for another repair',
    interval: '30s',
    severity: 'critical',
    series: { [`klingoperator_remediation_exhausted{${LABELS}}`]: held([0, 10], [1, 10], [0, 10]) },
    quiet: ['4m', '11m'],
    fires: { '7m': [studio] },
  },
  {
    alert: 'KlingApiRepairedTooOften',
    what: 'one repair, then two more, then the window has passed',
    interval: '1m',
    severity: 'warning',
    series: { [`klingoperator_repairs_recent{${LABELS}}`]: held([0, 5], [1, 10], [3, 60], [1, 10]) },
    quiet: ['10m', '80m'],
    fires: { '20m': [studio] },
  },
  {
    alert: 'KlingApiVerificationFailing',
    what: 'failed once, inconclusive for long, then failed for a quarter of an hour',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingoperator_verification_check{${LABELS},check="McpHandshake"}`]: held(
        [1, 5],
        [0, 2],
        [-1, 33],
        [0, 15],
        [1, 10],
      ),
    },
    quiet: ['6m', '35m', '60m'],
    fires: { '52m': [{ ...studio, check: 'McpHandshake' }] },
  },
  {
    alert: 'KlingApiNotExposed',
    what: 'a rollout of the controller, then a route that is gone for half an hour with one reason after the other',
    interval: '1m',
    severity: 'warning',
    series: {
      [exposed('HandshakePassed')]: held([1, 10], [null, 10], [1, 10], [null, 30], [1, 10]),
      [exposed('HttpError')]: held([null, 10], [0, 10], [null, 10], [0, 10], [null, 30]),
      [exposed('RequestRefused')]: held([null, 40], [0, 20], [null, 10]),
      [condition('Ready')]: held([1, 70]),
    },
    quiet: ['8m', '19m', '40m', '65m'],
    fires: { '50m': [studio] },
  },
  {
    alert: 'KlingApiNotExposed',
    what: 'the operator does not get there itself, which others may',
    interval: '1m',
    severity: 'warning',
    series: { [exposed('NameResolution')]: held([-1, 60]), [condition('Ready')]: held([1, 60]) },
    quiet: ['50m'],
    fires: {},
  },
  {
    alert: 'KlingApiNotExposed',
    what: 'nothing serves behind it, which has an alert of its own',
    interval: '1m',
    severity: 'warning',
    series: { [exposed('HttpError')]: held([0, 60]), [condition('Ready')]: held([0, 60]) },
    quiet: ['50m'],
    fires: {},
  },
  {
    alert: 'KlingApiStalled',
    what: 'a condition that is there only while it holds',
    interval: '1m',
    severity: 'warning',
    series: { [condition('Stalled')]: held([null, 5], [1, 20], [null, 15]) },
    quiet: ['4m', '15m', '35m'],
    fires: { '22m': [studio] },
  },
  {
    alert: 'KlingApiApiDown',
    what: 'one restart of a minute, then an outage',
    interval: '30s',
    severity: 'critical',
    series: {
      [`klingoperator_api_pods_ready{${LABELS}}`]: held([1, 10], [0, 2], [1, 8], [0, 20], [1, 20]),
      [`klingoperator_api_pods_wanted{${LABELS}}`]: held([1, 60]),
    },
    quiet: ['5m30s', '9m', '25m'],
    fires: { '15m': [studio] },
  },
  {
    alert: 'KlingApiUpstreamDown',
    what: 'single calls fail, then most of them',
    interval: '1m',
    severity: 'critical',
    series: {
      [upstream('ok')]: counted([10, 20], [1, 20], [10, 20]),
      [upstream('timeout')]: counted([1, 20], [10, 20], [0, 20]),
    },
    quiet: ['15m', '58m'],
    fires: { '35m': [studio] },
  },
  {
    alert: 'KlingApiUpstreamDown',
    what: 'the verification finds it where nobody else asks',
    interval: '1m',
    severity: 'critical',
    series: { [`klingoperator_diagnosis{${LABELS},diagnosis="UpstreamDown"}`]: held([null, 5], [1, 15], [null, 20]) },
    quiet: ['8m', '35m'],
    fires: { '15m': [studio] },
  },
  ...(['balance', 'key_invalid'] as const).flatMap((outcome): Story[] => {
    const [alert, diagnosis] =
      outcome === 'balance'
        ? ['KlingApiUpstreamBalanceEmpty', 'UpstreamBalanceEmpty']
        : ['KlingApiUpstreamKeyInvalid', 'UpstreamKeyInvalid'];
    return [
      {
        alert,
        what: 'a single refused call, whose series begins with it',
        interval: '1m',
        severity: 'critical',
        series: { [upstream('ok')]: counted([10, 60]), [upstream(outcome)]: held([null, 10], [1, 50]) },
        quiet: ['9m', '25m'],
        fires: { '12m': [studio] },
      },
      {
        alert,
        what: 'calls that are refused again and again, after long quiet',
        interval: '1m',
        severity: 'critical',
        series: { [upstream(outcome)]: counted([1, 1], [0, 29], [1, 10], [0, 30]) },
        quiet: ['28m', '60m'],
        fires: { '35m': [studio] },
      },
      {
        alert,
        what: 'the verification finds it',
        interval: '1m',
        severity: 'critical',
        series: {
          [`klingoperator_diagnosis{${LABELS},diagnosis="${diagnosis}"}`]: held([null, 5], [1, 15], [null, 20]),
        },
        quiet: ['4m', '35m'],
        fires: { '15m': [studio] },
      },
    ];
  }),
  {
    alert: 'KlingApiTasksFailing',
    what: 'one task of ten fails, then every second, then none',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingapi_tasks_ended_total{${LABELS},kind="image",state="succeeded"}`]: counted([9, 60], [5, 60], [9, 60]),
      [`klingapi_tasks_ended_total{${LABELS},kind="image",state="failed"}`]: counted([1, 60], [5, 60], [0, 60]),
    },
    quiet: ['50m', '170m'],
    fires: { '110m': [studio] },
  },
  {
    alert: 'KlingApiTasksFailing',
    what: 'all fail, but there are only two',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingapi_tasks_ended_total{${LABELS},kind="image",state="failed"}`]: counted([0, 10], [1, 2], [0, 30]),
    },
    quiet: ['20m', '30m'],
    fires: {},
  },
  {
    alert: 'KlingApiTasksStuck',
    what: 'a queue that moves, then one that stands still, seen by two replicas',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingapi_oldest_task_age_seconds{${LABELS},pod="a",state="queued"}`]: held([120, 10], [1000, 20], [0, 10]),
      [`klingapi_oldest_task_age_seconds{${LABELS},pod="b",state="queued"}`]: held([120, 10], [1000, 20], [0, 10]),
      [`klingapi_oldest_task_age_seconds{${LABELS},pod="a",state="processing"}`]: held([3600, 40]),
    },
    quiet: ['9m', '12m', '35m'],
    fires: { '20m': [{ ...studio, state: 'queued' }] },
  },
  {
    alert: 'KlingApiSpendNearLimit',
    what: 'a day of 700 units, then one of 900, of 1000 allowed',
    interval: '10m',
    severity: 'warning',
    series: {
      [`klingapi_charged_units_total{${LABELS},pack="image"}`]: counted([700 / 144, 144], [900 / 144, 144], [0, 150]),
    },
    quiet: ['23h', '72h'],
    fires: { '47h': [studio] },
  },
  {
    alert: 'KlingOperatorAbsent',
    what: 'a restart of two minutes, then nothing for ten, then another release alone',
    interval: '1m',
    severity: 'critical',
    series: {
      [`up{${OPERATOR}}`]: held([1, 10], [0, 2], [1, 18], [null, 20], [1, 10]),
      'up{namespace="other",job="kling-operator-metrics"}': held([1, 60]),
    },
    quiet: ['12m', '25m', '55m'],
    fires: { '45m': [{ namespace: 'kling-system' }] },
  },
  {
    alert: 'KlingOperatorNotSyncing',
    what: 'a watch that is renewed, then one that does not come back',
    interval: '15s',
    severity: 'critical',
    series: {
      [`klingoperator_reflector_down_seconds{${OPERATOR},kind="Pod",watched_namespace=""}`]: `${held([0, 20])} 15+0x1 0+0x17 0+15x30 0+0x20`,
    },
    quiet: ['5m15s', '11m', '19m'],
    fires: { '15m': [{ kind: 'Pod' }] },
  },
  {
    alert: 'KlingOperatorNoLeader',
    what: 'one hands over to the other, then nobody leads',
    interval: '15s',
    severity: 'critical',
    series: {
      [`leader_election_master_status{${OPERATOR},pod="a",name="kling-operator"}`]: held([1, 20], [0, 60], [1, 10]),
      [`leader_election_master_status{${OPERATOR},pod="b",name="kling-operator"}`]: held([0, 22], [1, 18], [0, 50]),
    },
    quiet: ['4m', '5m15s', '11m', '21m'],
    fires: { '15m': [{}] },
  },
  {
    alert: 'KlingOperatorReconcileErrors',
    what: 'single errors, then every look fails',
    interval: '1m',
    severity: 'warning',
    series: {
      [`controller_runtime_reconcile_total{${OPERATOR},controller="klingapi",result="success"}`]: counted(
        [20, 30],
        [0, 40],
        [20, 40],
      ),
      [`controller_runtime_reconcile_total{${OPERATOR},controller="klingapi",result="error"}`]: counted(
        [1, 30],
        [20, 40],
        [0, 40],
      ),
      [`controller_runtime_reconcile_errors_total{${OPERATOR},controller="klingapi"}`]: counted(
        [1, 30],
        [20, 40],
        [0, 40],
      ),
    },
    quiet: ['25m', '105m'],
    fires: { '65m': [{ controller: 'klingapi' }] },
  },
  {
    alert: 'KlingOperatorCrdOutdated',
    what: 'an upgrade that brings the definition a moment later, then one that does not bring it, then somebody who does',
    interval: '1m',
    severity: 'warning',
    series: {
      [`klingoperator_crd_missing_fields{${OPERATOR},pod="a"}`]: held([0, 10], [3, 3], [0, 7], [3, 20], [0, 10]),
      [`klingoperator_crd_missing_fields{${OPERATOR},pod="b"}`]: held([0, 10], [3, 2], [0, 8], [3, 20], [0, 10]),
      'klingoperator_crd_missing_fields{namespace="other",job="kling-operator-metrics"}': held([9, 50]),
    },
    quiet: ['9m', '14m', '22m', '45m'],
    fires: { '30m': [{}] },
  },
  {
    alert: 'KlingOperatorStormActive',
    what: 'repairs of two KlingApis are held back for some minutes',
    interval: '30s',
    severity: 'critical',
    series: {
      [condition('StormActive')]: held([null, 10], [1, 10], [null, 20]),
      'klingoperator_condition{namespace="media",klingapi="other",type="StormActive"}': held(
        [null, 10],
        [1, 10],
        [null, 20],
      ),
      [condition('Ready')]: held([1, 40]),
    },
    quiet: ['4m', '18m'],
    fires: { '8m': [{}] },
  },
  {
    alert: 'KlingApiErrorBudgetBurnsFast',
    what: 'one repair of 20 s, two hours later an outage of two minutes',
    interval: '10s',
    severity: 'critical',
    series: { [DOWN]: counted([0, 360], [10, 2], [0, 718], [10, 12], [0, 2160]) },
    quiet: ['61m', '65m', '4h'],
    fires: { '3h3m': [studio] },
  },
  {
    alert: 'KlingApiErrorBudgetBurnsSlowly',
    what: 'four repairs of 20 s over a day, then an outage of five minutes',
    interval: '1m',
    severity: 'warning',
    series: {
      [DOWN]: counted(
        ...Array.from({ length: 4 }, (): [number, number][] => [
          [0, 359],
          [20, 1],
        ]).flat(),
        [60, 5],
        [0, 1000],
      ),
    },
    quiet: ['6h10m', '23h59m', '38h'],
    fires: { '24h30m': [studio] },
  },
];
