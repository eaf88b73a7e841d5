import { type ApiUsage, usageOfAll } from '../cluster/api-usage.ts';
import { keyInEnvironment } from '../cluster/caller-key.ts';
import { namedKlingApi } from '../cluster/klingapis.ts';
import type { Around, Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { OUTPUT } from '../options.ts';
import { span } from '../terminal/duration.ts';
import { formatted } from '../terminal/formats.ts';
import { oneLine, table } from '../terminal/table.ts';

const DAY_MS = 24 * 3_600_000;
const MESSAGE_LENGTH = 120;

interface Row {
  readonly caller: string;
  readonly what: string;
  readonly model: string;
  readonly tasks: number;
  readonly failed: number;
  readonly units: number;
  readonly expected: number;
  readonly usd: number;
}

/** Sums of tenths and hundredths are a hair beside what they should be. */
const rounded = (amount: number): string => String(Math.round(amount * 10_000) / 10_000);

/** Who spent most first, and of each caller what cost most. */
function rowsOf({ usage, calls }: Pick<ApiUsage, 'usage' | 'calls'>): Row[] {
  const rows: Row[] = [
    ...usage.map(({ kind, expectedUnits, ...row }) => ({ ...row, what: kind, expected: expectedUnits })),
    ...calls.map((row) => ({ ...row, what: row.operation, model: '', tasks: row.calls, expected: 0 })),
  ];
  const units = new Map<string, number>();
  for (const row of rows) units.set(row.caller, (units.get(row.caller) ?? 0) + row.units);
  return rows.sort(
    (a, b) =>
      (units.get(b.caller) ?? 0) - (units.get(a.caller) ?? 0) ||
      (a.caller === b.caller ? b.units - a.units : a.caller < b.caller ? -1 : 1),
  );
}

export function usageText(told: ApiUsage, { paint }: Pick<Around, 'paint'>): string {
  const rows = rowsOf(told);
  const time = span(Date.parse(told.until) - Date.parse(told.since));
  if (rows.length === 0) return `Nobody made anything in the last ${time}\n`;
  const sum = (of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0);
  const failedIn = (count: number): string => (count === 0 ? '0' : paint.bad(String(count)));
  const spent = table(
    ['CALLER', 'KIND', 'MODEL', 'TASKS', 'FAILED', 'UNITS', 'EXPECTED', 'USD'],
    rows.map((row) => [
      ...[oneLine(row.caller), row.what, oneLine(row.model), String(row.tasks), failedIn(row.failed)],
      ...[row.units, row.expected, row.usd].map(rounded),
    ]),
  );
  const total = `${sum((row) => row.tasks)} made in the last ${time}, ${sum((row) => row.failed)} failed, ${rounded(sum((row) => row.units))} units, ${rounded(sum((row) => row.usd))} USD at list price`;
  const failed = table(
    ['FAILED', 'CALLER', 'CODE', 'ONE OF THEM'],
    told.failures.map(({ tasks, caller, code, message }) => [
      ...[paint.bad(String(tasks)), oneLine(caller), oneLine(code)],
      oneLine(message).slice(0, MESSAGE_LENGTH),
    ]),
  );
  return `${[
    ...spent,
    ...['', total],
    ...(told.failures.length === 0 ? [] : ['', ...failed]),
    ...(told.more
      ? ['', 'The lists are cut off, and the sum is of what is shown: ask for a shorter time with --since']
      : []),
  ].join('\n')}\n`;
}

export const usage: Command = {
  name: 'usage',
  summary: 'Tell who spends and whose tasks fail, over all callers',
  arguments: '[NAME]',
  most: 1,
  about:
    'Asks an API pod through the API server, with a statement of one minute that is signed with the Secret NAME-internal.\nWhoever may not read that gives the key of a caller with the scope account. EXPECTED is of tasks that have not ended.',
  options: {
    ...OUTPUT,
    since: { type: 'string', value: 'TIME', is: 'time', says: 'How far back, such as 30m, 24h or 31d (24h)' },
    'key-env': {
      type: 'string',
      value: 'VARIABLE',
      says: 'Take the key of a caller from an environment variable instead',
    },
  },
  examples: ['kubectl kling usage studio -n media', 'kubectl kling usage studio -n media --since 1h -o json'],
  async run(invocation) {
    const { options, out, paint } = invocation;
    const key = keyInEnvironment(invocation);
    const klingApi = await namedKlingApi(invocation);
    const told = await usageOfAll(invocation, klingApi, options.duration('since') ?? DAY_MS, key);
    const format = options.choice('output', ['json', 'yaml']);
    out(format === undefined ? usageText(told, { paint }) : formatted(format, told));
    return EXIT.ok;
  },
};
