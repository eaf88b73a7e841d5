#!/usr/bin/env node
/** The command `probe`; see `command.ts`. */
import { setTimeout } from 'node:timers/promises';
import { runCommand } from './command.ts';

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort());
// Whoever read the output has gone (`probe … | head`), so nobody wants more of it.
process.stdout.on('error', () => ended.abort());

process.exitCode = await runCommand(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  signal: ended.signal,
  pause: (ms, signal) => setTimeout(ms, undefined, { signal }).catch(() => {}),
});
