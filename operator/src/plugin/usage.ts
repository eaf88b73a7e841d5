/** The help, made from the table of commands. */
import type { Command } from './command.ts';
import { type OptionTable, SHARED } from './options.ts';

function optionLines(options: OptionTable): string[] {
  const rows = Object.entries(options).map(([name, { short, value, says }]): [string, string] => [
    `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    says,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, says]) => `${left.padEnd(width + 2)}${says}`);
}

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'kubectl kling looks after KlingApis: what they are, where they break, what was repaired.',
    '',
    'Usage: kubectl kling COMMAND [NAME] [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width + 2)}${summary}`),
    '',
    'NAME may be left out where the namespace has one KlingApi. Options of every command:',
    '',
    ...optionLines(SHARED),
    '',
    'kubectl kling COMMAND --help tells more. Exit codes: 0 well, 1 a finding or a failure, 2 wrong usage; probe has its own,',
    'and takes no options but its own.',
    '',
  ].join('\n');
}

export function usageOf(command: Command): string {
  if (command.ownUsage !== undefined) return command.ownUsage;
  return [
    `${command.summary}.`,
    ...(command.about === undefined ? [] : ['', command.about]),
    '',
    `Usage: kubectl kling ${command.name}${command.arguments === '' ? '' : ` ${command.arguments}`} [options]`,
    ...(Object.keys(command.options).length === 0 ? [] : ['', ...optionLines(command.options)]),
    '',
    'Options of every command:',
    '',
    ...optionLines(SHARED),
    '',
    'Examples:',
    '',
    ...command.examples.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
