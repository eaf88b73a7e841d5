/** All commands, in the order of the help. */
import type { Command } from './command.ts';
import { complete, completion } from './commands/completion.ts';
import { consoleCommand } from './commands/console.ts';
import { doctor } from './commands/doctor.ts';
import { history } from './commands/history.ts';
import { logs } from './commands/logs.ts';
import { mcpConfig } from './commands/mcp-config.ts';
import { pause, resume } from './commands/pause.ts';
import { picture } from './commands/picture.ts';
import { probe } from './commands/probe.ts';
import { repair } from './commands/repair.ts';
import { report } from './commands/report.ts';
import { status } from './commands/status.ts';
import { usage } from './commands/usage.ts';
import { verify } from './commands/verify.ts';
import { version } from './commands/version.ts';

export const COMMANDS: readonly Command[] = [
  status,
  doctor,
  history,
  report,
  logs,
  usage,
  verify,
  repair,
  pause,
  resume,
  mcpConfig,
  picture,
  probe,
  consoleCommand,
  completion,
  version,
];
/** Asked for by shells alone. */
export const HIDDEN: readonly Command[] = [complete];
