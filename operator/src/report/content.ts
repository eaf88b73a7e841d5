/** What the report of one repair says, part by part; how it looks is for others: `markdown.ts`, `html.ts`, and the console. */
import { isDiagnosis } from '../remediation/diagnoses.ts';
import type { RepairRecord } from '../resource/status.ts';
import { ENGLISH } from './english.ts';
import type { Words } from './words.ts';

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
  | { kind: 'table'; head: readonly string[]; rows: string[][] };

const clock = (time: string): string => time.slice(11, 23);
const seconds = (from: string, to: string): string =>
  ((new Date(to).getTime() - new Date(from).getTime()) / 1_000).toFixed(1);

export function reportContent(subject: ReportSubject, repair: RepairRecord, words: Words = ENGLISH): Part[] {
  const first = repair.steps[0]?.at ?? repair.startedAt;
  return [
    { kind: 'title', text: words.title(subject.name, subject.namespace) },
    { kind: 'table', head: ['', ''], rows: facts(repair, words) },
    { kind: 'heading', text: words.sections.problem },
    { kind: 'paragraph', text: repair.evidence.message },
    { kind: 'list', entries: evidence(repair, words) },
    { kind: 'heading', text: words.sections.cause },
    {
      kind: 'paragraph',
      lead: `${repair.diagnosis}.`,
      text: words.meaning(isDiagnosis(repair.diagnosis) ? repair.diagnosis : undefined),
    },
    ...(repair.recurrence === undefined
      ? []
      : [{ kind: 'paragraph' as const, lead: words.cameBack, text: `${repair.recurrence.message}.` }]),
    { kind: 'heading', text: words.sections.steps },
    {
      kind: 'table',
      head: words.stepHead,
      rows: repair.steps.map(({ at, name, detail }) => [clock(at), `${seconds(first, at)} s`, name, detail ?? '']),
    },
    { kind: 'heading', text: words.sections.verification },
    ...verification(repair, words),
    { kind: 'heading', text: words.sections.comparison },
    { kind: 'table', head: words.comparisonHead, rows: beforeAndAfter(repair, words) },
  ];
}

function facts(repair: RepairRecord, words: Words): string[][] {
  const { finishedAt, unavailableSeconds } = repair;
  const { fields } = words;
  return [
    [fields.record, repair.id],
    [fields.pod, repair.pod],
    [fields.action, words.action(repair)],
    [fields.outcome, repair.outcome === undefined ? fields.underWay : words.outcomes[repair.outcome]],
    [fields.began, repair.startedAt],
    ...(finishedAt === undefined
      ? []
      : [[fields.ended, words.ended(finishedAt, seconds(repair.startedAt, finishedAt))]]),
    ...(unavailableSeconds === undefined
      ? []
      : [[fields.unavailable, words.unavailable(unavailableSeconds.toFixed(1))]]),
  ];
}

function evidence({ evidence: seen }: RepairRecord, words: Words): Extract<Part, { kind: 'list' }>['entries'] {
  const { status, reply, log } = words.evidence;
  return [
    ...(seen.httpStatus === undefined ? [] : [{ text: `${status}${words.colon}${seen.httpStatus}` }]),
    ...(seen.excerpt === undefined ? [] : [{ text: `${reply}${words.colon}`.trimEnd(), code: seen.excerpt }]),
    ...(seen.consecutiveFailures === undefined
      ? []
      : [{ text: words.failures(seen.consecutiveFailures, seen.failingSince) }]),
    ...(seen.log === undefined ? [] : [{ text: `${log}${words.colon}`.trimEnd(), block: seen.log }]),
  ];
}

function verification({ verification: done }: RepairRecord, words: Words): Part[] {
  if (done === undefined) return [{ kind: 'paragraph', text: words.notDone }];
  return [
    { kind: 'paragraph', lead: done.summary, text: words.passed(done.at) },
    {
      kind: 'table',
      head: words.checkHead,
      rows: done.checks.map(({ name, result, message, durationMs }) => [
        name,
        words.result(result),
        message,
        durationMs === undefined ? '' : `${durationMs} ms`,
      ]),
    },
  ];
}

function beforeAndAfter(repair: RepairRecord, words: Words): string[][] {
  const handshake = repair.verification?.checks.find((check) => check.name === 'McpHandshake');
  const { comparison, fields } = words;
  return [
    [comparison.handshake, repair.evidence.message, handshake?.message ?? repair.outcome ?? fields.underWay],
    [comparison.pod, repair.pod, repair.replacement ?? ''],
    [
      comparison.serving,
      String(repair.servedBefore),
      repair.servedAfter === undefined ? '' : String(repair.servedAfter),
    ],
    [comparison.checks, '', repair.verification?.summary ?? ''],
    [comparison.time, repair.startedAt, repair.finishedAt ?? repair.steps.at(-1)?.at ?? repair.startedAt],
  ];
}
