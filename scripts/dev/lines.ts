/** How lines of several processes look on one screen. */
import { styleText } from 'node:util';
import { z } from 'zod';

const logSchema = z.looseObject({ level: z.string(), time: z.string(), msg: z.string() });
const COLOURS = ['cyan', 'magenta', 'yellow'] as const;
const LEVELS: Readonly<Record<string, 'red' | 'yellow' | 'gray'>> = {
  fatal: 'red',
  error: 'red',
  warn: 'yellow',
  debug: 'gray',
  trace: 'gray',
};

/**
 * A writer for one process: whole lines, each behind the process's name. On a
 * terminal a JSON log line becomes words; elsewhere it stays what programs read.
 */
export function lineWriter(
  name: string,
  index: number,
  { terminal, write }: { terminal: boolean; write: (text: string) => void },
): (chunk: string) => void {
  const label = `${name.padEnd(8)}| `;
  const prefix = terminal
    ? styleText(COLOURS[index % COLOURS.length] ?? 'cyan', label, { validateStream: false })
    : label;
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) write(`${prefix}${terminal ? words(line) : line}\n`);
  };
}

/** `12:30:01.250 info message key=value` */
function words(line: string): string {
  if (!line.startsWith('{')) return line;
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return line;
  }
  const log = logSchema.safeParse(parsed);
  if (!log.success) return line;
  const { level, time, msg, name: _name, ...fields } = log.data;
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const text = `${time.slice(11, 23)} ${level.padEnd(5)} ${[msg, ...rest].join(' ')}`;
  const colour = LEVELS[level];
  return colour === undefined ? text : styleText(colour, text, { validateStream: false });
}
