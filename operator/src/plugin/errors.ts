/** What ends a command: told in one or two sentences, never with a stack. */

/** The command line is wrong; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The command could not do what it was asked; exit code 1. The message says what the way out is. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** `interrupted`: ended by Ctrl-C, as shells count it. */
export const EXIT = { ok: 0, finding: 1, usage: 2, interrupted: 130 } as const;
