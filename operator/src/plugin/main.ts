/** The process behind `kubectl kling`. */
import { setTimeout } from 'node:timers/promises';
import { EXIT } from './errors.ts';
import { run } from './run.ts';
import { clean } from './terminal/clean.ts';
import { paintFor } from './terminal/paint.ts';

const ended = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // whoever asks twice does not want to wait for a tidy end
    if (ended.signal.aborted) process.exit(EXIT.interrupted);
    ended.abort();
  });
}
// Whoever read the output has gone (`kubectl kling logs | head`), so nobody wants more of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`error: the output cannot be written: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

/** What is still open, such as a connection that nobody answers, keeps nobody waiting. */
function leave(code: number): void {
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  env: process.env,
  now: Date.now,
  signal: ended.signal,
  pause: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => {}),
  paint: paintFor(process.stdout.isTTY === true, process.env),
  progressPaint: paintFor(process.stderr.isTTY === true, process.env),
  columns: process.stdout.columns ?? 100,
}).then(leave, (error: unknown) => {
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(clean(`error: ${told}\n`));
  leave(EXIT.finding);
});
