/** What the report of one repair says, part by part; how it looks is for others: `markdown.ts`, and the console. */
import { DIAGNOSES, isDiagnosis } from '../remediation/diagnoses.ts';
import type { RepairRecord } from '../resource/status.ts';

export interface ReportSubject {
  name: string;
  namespace: string;
}

/** `lead` is told before `text`, and louder. An entry of a list may have a `code` of one line, or a `block` of several. */
export type Part =
  | { kind: 'title'; text: string }
  | { kind: 'heading'; text: string }
  | { kind: 'paragraph'; lead?: string; text: string }
  | { kind: 'list'; entries: { text: string; code?: string; block?: string }[] }
  | { kind: 'table'; head: string[]; rows: string[][] };

const clock = (time: string): string => time.slice(11, 23);
const seconds = (from: string, to: string): string =>
  `${((new Date(to).getTime() - new Date(from).getTime()) / 1_000).toFixed(1)} s`;

const ACTIONS: Record<RepairRecord['action'], (repair: RepairRecord) => string> = {
  RestartPod: () => 'RestartPod: the pod was deleted, its workload made a new one',
  RolloutRestart: () => 'RolloutRestart: all MCP pods were replaced, one after the other',
  KubeletRestart: () => 'KubeletRestart: the kubelet restarted the container, because its liveness probe failed',
  Rollback: ({ rolledBackTo }) => `Rollback: the MCP workload went back to revision ${rolledBackTo}`,
};

const OUTCOMES: Record<NonNullable<RepairRecord['outcome']>, string> = {
  Recovered: 'Recovered',
  Failed: 'Failed: the replacement does not serve either',
  NotNeeded: 'Not needed: the pod was left alone',
};

const MEANING_UNKNOWN = 'The MCP server fails its handshake.';

export function reportContent(subject: ReportSubject, repair: RepairRecord): Part[] {
  return [
    { kind: 'title', text: `Repair of ${subject.name} (namespace ${subject.namespace})` },
    { kind: 'table', head: ['', ''], rows: facts(repair) },
    { kind: 'heading', text: 'Problem' },
    { kind: 'paragraph', text: repair.evidence.message },
    { kind: 'list', entries: evidence(repair) },
    { kind: 'heading', text: 'Cause' },
    {
      kind: 'paragraph',
      lead: `${repair.diagnosis}.`,
      text: isDiagnosis(repair.diagnosis) ? DIAGNOSES[repair.diagnosis].meaning : MEANING_UNKNOWN,
    },
    ...(repair.recurrence === undefined
      ? []
      : [{ kind: 'paragraph' as const, lead: 'It came back.', text: `${repair.recurrence.message}.` }]),
    { kind: 'heading', text: 'Steps' },
    {
      kind: 'table',
      head: ['Time', 'After', 'Step', 'Detail'],
      rows: repair.steps.map((step) => [
        clock(step.at),
        seconds(repair.steps[0]?.at ?? repair.startedAt, step.at),
        step.name,
        step.detail ?? '',
      ]),
    },
    { kind: 'heading', text: 'Verification' },
    ...verification(repair),
    { kind: 'heading', text: 'Before and after' },
    { kind: 'table', head: ['', 'Before', 'After'], rows: beforeAndAfter(repair) },
  ];
}

function facts(repair: RepairRecord): string[][] {
  const { finishedAt, unavailableSeconds } = repair;
  return [
    ['Record', repair.id],
    ['Pod', repair.pod],
    ['Action', ACTIONS[repair.action](repair)],
    ['Outcome', repair.outcome === undefined ? 'under way' : OUTCOMES[repair.outcome]],
    ['Began', repair.startedAt],
    ...(finishedAt === undefined
      ? []
      : [['Ended', `${finishedAt} (${seconds(repair.startedAt, finishedAt)} after the decision)`]]),
    ...(unavailableSeconds === undefined
      ? []
      : [
          [
            'Pod without service',
            `${unavailableSeconds.toFixed(1)} s, from its first failed handshake to the replacement's first good one`,
          ],
        ]),
  ];
}

function evidence({ evidence: seen }: RepairRecord): Extract<Part, { kind: 'list' }>['entries'] {
  const since = seen.failingSince === undefined ? '' : `, since ${seen.failingSince}`;
  return [
    ...(seen.httpStatus === undefined ? [] : [{ text: `HTTP status: ${seen.httpStatus}` }]),
    ...(seen.excerpt === undefined ? [] : [{ text: 'Reply:', code: seen.excerpt }]),
    ...(seen.consecutiveFailures === undefined
      ? []
      : [{ text: `Failed handshakes in a row: ${seen.consecutiveFailures}${since}` }]),
    ...(seen.log === undefined ? [] : [{ text: 'Log:', block: seen.log }]),
  ];
}

function verification({ verification: done }: RepairRecord): Part[] {
  if (done === undefined) return [{ kind: 'paragraph', text: 'Not done.' }];
  return [
    { kind: 'paragraph', lead: done.summary, text: `checks passed at ${done.at}.` },
    {
      kind: 'table',
      head: ['Check', 'Result', 'Seen', 'Took'],
      rows: done.checks.map((check) => [
        check.name,
        check.result,
        check.message,
        check.durationMs === undefined ? '' : `${check.durationMs} ms`,
      ]),
    },
  ];
}

function beforeAndAfter(repair: RepairRecord): string[][] {
  const handshake = repair.verification?.checks.find((check) => check.name === 'McpHandshake');
  return [
    ['MCP handshake', repair.evidence.message, handshake?.message ?? repair.outcome ?? 'under way'],
    ['Pod', repair.pod, repair.replacement ?? ''],
    [
      'Pods that serve',
      String(repair.servedBefore),
      repair.servedAfter === undefined ? '' : String(repair.servedAfter),
    ],
    ['Checks passed', '', repair.verification?.summary ?? ''],
    ['Time', repair.startedAt, repair.finishedAt ?? repair.steps.at(-1)?.at ?? repair.startedAt],
  ];
}
