#!/usr/bin/env node
/** The command `probe`; see `command.ts`. */
import { runCommand } from './command.ts';

const { exitCode, stdout, stderr } = await runCommand(process.argv.slice(2));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exitCode;
