/** Tells a person what is going on: one line a step, with the time it took. */
export type ProgressEvent = { step: string; state: 'started' | 'running' | 'done' | 'failed'; seconds: number };
export type Report = (event: ProgressEvent) => void;
/** Runs one named step and reports its start, its end, and a sign of life in between. */
export type Step = <T>(name: string, work: () => Promise<T> | T) => Promise<T>;

const signOfLifeMs = 20_000;

export function steps(report: Report): Step {
  return async (step, work) => {
    const started = performance.now();
    const tell = (state: ProgressEvent['state']) =>
      report({ step, state, seconds: (performance.now() - started) / 1000 });
    tell('started');
    const timer = setInterval(() => tell('running'), signOfLifeMs);
    try {
      const result = await work();
      tell('done');
      return result;
    } catch (error) {
      tell('failed');
      throw error;
    } finally {
      clearInterval(timer);
    }
  };
}

/** On standard error, so that the standard output of a command stays clean. */
export const toStderr: Report = ({ step, state, seconds }) => {
  if (state === 'started') process.stderr.write(`· ${step}\n`);
  else process.stderr.write(`${marks[state]} ${step} (${time(seconds)})\n`);
};

const marks = { running: '…', done: '✓', failed: '✗' };
const time = (s: number) => (s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`);
