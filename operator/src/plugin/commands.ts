/** All commands, in the order of the help. */
import type { Command } from './command.ts';
import { doctor } from './commands/doctor.ts';
import { status } from './commands/status.ts';

export const COMMANDS: readonly Command[] = [status, doctor];
/** Asked for by programs alone. */
export const HIDDEN: readonly Command[] = [];
