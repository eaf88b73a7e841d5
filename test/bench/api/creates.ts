import { type Figure, median, quantile } from '../figures.ts';
import { sendOpenLoop } from '../open-loop.ts';
import { JSON_HEADERS, startApi, startSandbox } from './processes.ts';

const PER_SECOND = 100;
const SECONDS = 10;
const ROUNDS = 5;
/** Longer than the measurement: to draw results is no part of a create. */
const TASK_SECONDS = 600;
const GOAL_MS = { p50: 3, p99: 10 };

/** What the API adds to a create: the same requests to the sandbox directly and through the API, in turns. */
export async function measureCreates(say: (text: string) => void): Promise<Figure[]> {
  const sandbox = await startSandbox(TASK_SECONDS);
  const api = await startApi(sandbox.url, undefined);
  const load = { headers: JSON_HEADERS, perSecond: PER_SECOND };
  let sent = 0;
  const body = (): string => {
    sent += 1;
    return JSON.stringify({ model_name: 'kling-v3', prompt: `a lighthouse, number ${sent}` });
  };
  const direct = (seconds: number) =>
    sendOpenLoop({ ...load, body, seconds, url: sandbox.url, path: '/v1/images/generations' });
  const through = (seconds: number) =>
    sendOpenLoop({ ...load, body, seconds, url: api.url, path: '/api/images/generations' });
  try {
    // Until the compiler has seen enough.
    await direct(3);
    await through(10);
    const rounds: { p50: number; p99: number }[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [bare, ours] = [await direct(SECONDS), await through(SECONDS)];
      const added = {
        p50: quantile(ours, 0.5) - quantile(bare, 0.5),
        p99: quantile(ours, 0.99) - quantile(bare, 0.99),
      };
      rounds.push(added);
      say(
        `creates, round ${round}: sandbox ${quantile(bare, 0.5).toFixed(2)} / ${quantile(bare, 0.99).toFixed(2)} ms, ` +
          `API ${quantile(ours, 0.5).toFixed(2)} / ${quantile(ours, 0.99).toFixed(2)} ms (p50 / p99)`,
      );
    }
    const added = { p50: median(rounds.map(({ p50 }) => p50)), p99: median(rounds.map(({ p99 }) => p99)) };
    return (['p50', 'p99'] as const).map((name) => ({
      what: `what a create takes longer than at the sandbox directly, ${name}, at ${PER_SECOND} a second, open loop`,
      seen: `${added[name].toFixed(2)} ms`,
      goal: `< ${GOAL_MS[name]} ms`,
      holds: added[name] < GOAL_MS[name],
    }));
  } finally {
    await api.kill();
    await sandbox.kill();
  }
}
