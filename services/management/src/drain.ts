import type { Logger } from 'pino';

export interface DrainStep {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

export interface DrainOptions {
  /** For all steps together; when it is over the process ends with what is left undone. */
  readonly seconds: number;
  /** In order: stop taking work, finish what runs, release files and sockets. */
  readonly steps: readonly DrainStep[];
  readonly logger?: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly exit?: (code: number) => void;
}

/** What every step gets even after the deadline, so that files and sockets behind a hung step are still released. */
const LATE_STEP_MS = 250;

/**
 * Runs the steps one after another within the deadline. A step that throws or
 * that is overtaken by the deadline does not keep the next ones from running.
 *
 * @returns names of the steps that failed or did not end in time
 */
export async function runSteps(options: Pick<DrainOptions, 'seconds' | 'steps' | 'logger'>): Promise<string[]> {
  const end = performance.now() + options.seconds * 1000;
  const undone: string[] = [];
  for (const step of options.steps) {
    const outcome = await within(Math.max(LATE_STEP_MS, end - performance.now()), step, options.logger);
    if (outcome === 'overdue') options.logger?.warn({ step: step.name }, 'drain deadline passed');
    if (outcome !== 'done') undone.push(step.name);
  }
  return undone;
}

async function within(ms: number, step: DrainStep, logger: DrainOptions['logger']) {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<'overdue'>((resolve) => {
    timer = setTimeout(() => resolve('overdue'), ms);
  });
  const ended = Promise.resolve()
    .then(step.run)
    .then(
      () => 'done' as const,
      (error: unknown) => {
        logger?.error({ step: step.name, err: error }, 'drain step failed');
        return 'failed' as const;
      },
    );
  const outcome = await Promise.race([ended, overdue]);
  clearTimeout(timer);
  return outcome;
}

/**
 * On SIGTERM or SIGINT: runs the steps, then ends the process with 0. A second
 * signal ends it at once, because whoever sends it does not want to wait.
 *
 * @returns takes the handlers off again (tests)
 */
export function drainOnSignal(options: DrainOptions): () => void {
  const exit = options.exit ?? ((code: number) => process.exit(code));
  let draining = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (draining) {
      options.logger?.warn({ signal }, 'process ended by a second signal');
      exit(1);
      return;
    }
    draining = true;
    options.logger?.info({ signal, seconds: options.seconds }, 'drain started');
    void runSteps(options).then((undone) => {
      options.logger?.info({ undone }, 'drain ended');
      exit(0);
    });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
}
