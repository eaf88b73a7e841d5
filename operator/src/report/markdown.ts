import type { RepairRecord } from '../resource/status.ts';

export interface ReportSubject {
  name: string;
  namespace: string;
}

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
const table = (head: string[], rows: string[][]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];
const clock = (time: string): string => time.slice(11, 23);
const seconds = (from: string, to: string): string =>
  `${((new Date(to).getTime() - new Date(from).getTime()) / 1_000).toFixed(1)} s`;

const CAUSES: Record<string, string> = {
  SessionManagerDown:
    'The session manager of the MCP server is gone: the process lives and its port is open, but no MCP request can be answered until it starts anew.',
  HttpError: 'The MCP endpoint answers every handshake with an HTTP error.',
  ProcessHung: 'The process accepts connections but answers nothing: it hangs.',
  ConnectionRefused: 'Nothing listens on the MCP port although the container runs.',
  WrongProtocol: 'The MCP endpoint answers, but not with MCP.',
  EmptyReply: 'The MCP endpoint answers with an empty reply.',
  EraMismatch: 'The server does not speak the protocol era that is asked of it.',
};

const ACTIONS: Record<RepairRecord['action'], (repair: RepairRecord) => string> = {
  RestartPod: () => 'RestartPod: the pod was deleted, its workload made a new one',
  RolloutRestart: () => 'RolloutRestart: all MCP pods were replaced, one after the other',
  Rollback: ({ rolledBackTo }) => `Rollback: the MCP workload went back to revision ${rolledBackTo}`,
};

const OUTCOMES: Record<NonNullable<RepairRecord['outcome']>, string> = {
  Recovered: 'Recovered',
  Failed: 'Failed: the replacement does not serve either',
  NotNeeded: 'Not needed: the pod was left alone',
};

/** One repair as a Markdown page. */
export function repairReport(subject: ReportSubject, repair: RepairRecord): string {
  const { evidence, verification } = repair;
  const end = repair.finishedAt ?? repair.steps.at(-1)?.at ?? repair.startedAt;
  const lines = [
    `# Repair of ${subject.name} (namespace ${subject.namespace})`,
    '',
    ...table(
      ['', ''],
      [
        ['Record', repair.id],
        ['Pod', repair.pod],
        ['Action', ACTIONS[repair.action](repair)],
        ['Outcome', repair.outcome === undefined ? 'under way' : OUTCOMES[repair.outcome]],
        ['Began', repair.startedAt],
        ...(repair.finishedAt === undefined
          ? []
          : [['Ended', `${repair.finishedAt} (${seconds(repair.startedAt, repair.finishedAt)} after the decision)`]]),
        ...(repair.unavailableSeconds === undefined
          ? []
          : [
              [
                'Pod without service',
                `${repair.unavailableSeconds.toFixed(1)} s, from its first failed handshake to the replacement's first good one`,
              ],
            ]),
      ],
    ),
    '',
    '## Problem',
    '',
    `${evidence.message}`,
    '',
    ...(evidence.httpStatus === undefined ? [] : [`- HTTP status: ${evidence.httpStatus}`]),
    ...(evidence.excerpt === undefined ? [] : [`- Reply: \`${evidence.excerpt.replace(/`/g, "'")}\``]),
    ...(evidence.consecutiveFailures === undefined
      ? []
      : [
          `- Failed handshakes in a row: ${evidence.consecutiveFailures}${evidence.failingSince === undefined ? '' : `, since ${evidence.failingSince}`}`,
        ]),
    ...(evidence.log === undefined ? [] : ['- Log:', '', '```', evidence.log, '```']),
    '',
    '## Cause',
    '',
    `**${repair.diagnosis}.** ${CAUSES[repair.diagnosis] ?? 'The MCP server fails its handshake.'}`,
    '',
    ...(repair.recurrence === undefined ? [] : [`**It came back.** ${repair.recurrence.message}.`, '']),
    '## Steps',
    '',
    ...table(
      ['Time', 'After', 'Step', 'Detail'],
      repair.steps.map((step) => [
        clock(step.at),
        seconds(repair.steps[0]?.at ?? repair.startedAt, step.at),
        step.name,
        step.detail ?? '',
      ]),
    ),
    '',
    '## Verification',
    '',
    ...(verification === undefined
      ? ['Not done.']
      : [
          `**${verification.summary}** checks passed at ${verification.at}.`,
          '',
          ...table(
            ['Check', 'Result', 'Seen', 'Took'],
            verification.checks.map((check) => [
              check.name,
              check.result,
              check.message,
              check.durationMs === undefined ? '' : `${check.durationMs} ms`,
            ]),
          ),
        ]),
    '',
    '## Before and after',
    '',
    ...table(
      ['', 'Before', 'After'],
      [
        [
          'MCP handshake',
          evidence.message,
          verification?.checks.find((check) => check.name === 'McpHandshake')?.message ?? repair.outcome ?? 'under way',
        ],
        ['Pod', repair.pod, repair.replacement ?? ''],
        [
          'Pods that serve',
          String(repair.servedBefore),
          repair.servedAfter === undefined ? '' : String(repair.servedAfter),
        ],
        ['Checks passed', '', verification?.summary ?? ''],
        ['Time', repair.startedAt, end],
      ],
    ),
    '',
  ];
  return lines.join('\n');
}
