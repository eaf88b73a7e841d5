import { FLAGS, runCommand, usageOf } from '@klingapi/probe';
import type { Command } from '../command.ts';

const PROGRAM = 'kubectl kling probe';

/** The command of the probe as it is: the same flags, words and exit codes. */
export const probe: Command = {
  name: 'probe',
  summary: 'Do one MCP handshake with any server, and say what it shows',
  arguments: 'URL',
  most: Number.POSITIVE_INFINITY,
  ownUsage: usageOf(PROGRAM),
  options: FLAGS,
  examples: [],
  run: ({ options, ...around }) => runCommand(options.positionals, around, PROGRAM),
};
