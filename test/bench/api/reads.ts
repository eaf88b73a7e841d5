import { join } from 'node:path';
import { readsPerSecond } from '../closed-loop.ts';
import { type Figure, median } from '../figures.ts';
import { startService } from '../service.ts';
import { JSON_HEADERS, startApi, startSandbox } from './processes.ts';
import { makeTask } from './task.ts';

const SECONDS = 4;
const ROUNDS = 5;
const GOAL = 0.7;
/** The server has one core, the load the other. */
const SERVER_CPU = 0;

/** Reads of an ended task, against a bare Fastify route with the same reply, in turns. */
export async function measureReads(say: (text: string) => void): Promise<Figure[]> {
  const sandbox = await startSandbox(0);
  const api = await startApi(sandbox.url, SERVER_CPU);
  try {
    const { path, reply } = await makeTask(api.url);
    const bare = await startService(join(import.meta.dirname, 'bare.ts'), { REPLY: reply }, SERVER_CPU);
    try {
      const read = (url: string, seconds: number) => readsPerSecond(url + path, JSON_HEADERS, seconds);
      await read(bare.url, 2);
      await read(api.url, 2);
      const ratios: number[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const [theirs, ours] = [await read(bare.url, SECONDS), await read(api.url, SECONDS)];
        ratios.push(ours / theirs);
        say(`reads, round ${round}: bare Fastify ${Math.round(theirs)}/s, API ${Math.round(ours)}/s`);
      }
      const ratio = median(ratios);
      return [
        {
          what: 'reads of a task, as a share of a bare Fastify route with the same reply',
          seen: `${(ratio * 100).toFixed(0)} %`,
          goal: `≥ ${GOAL * 100} %`,
          holds: ratio >= GOAL,
        },
      ];
    } finally {
      await bare.stop();
    }
  } finally {
    await api.stop();
    await sandbox.stop();
  }
}
