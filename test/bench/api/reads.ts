import { join } from 'node:path';
import { startServiceProcess } from '../../service-process.ts';
import { sendClosedLoop } from '../closed-loop.ts';
import { type Figure, median } from '../figures.ts';
import { FLAGS } from '../flags.ts';
import { JSON_HEADERS, startApi, startSandbox } from './processes.ts';
import { makeTask } from './task.ts';

const SECONDS = 2;
const ROUNDS = 11;
const GOAL = 0.7;
/** The server has one core, the load the other. */
const SERVER_CPU = 0;

/** Reads of an ended task, against a bare Fastify route with the same reply and Node's usual flags, in turns. */
export async function measureReads(say: (text: string) => void): Promise<Figure[]> {
  const sandbox = await startSandbox(0);
  const api = await startApi(sandbox.url, SERVER_CPU);
  try {
    const { path, reply } = await makeTask(api.url);
    const startBare = (flags: readonly string[]) =>
      startServiceProcess(join(import.meta.dirname, 'bare.ts'), { env: { REPLY: reply }, cpu: SERVER_CPU, flags });
    const bare = await startBare([]);
    const alike = await startBare(FLAGS);
    try {
      const read = async (url: string, seconds: number) =>
        (await sendClosedLoop({ url: url + path, headers: JSON_HEADERS }, { seconds })).perSecond;
      // Until the compiler has seen enough.
      await read(bare.url, 5);
      await read(api.url, 5);
      const ratios: number[] = [];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const [theirs, ours] = [await read(bare.url, SECONDS), await read(api.url, SECONDS)];
        ratios.push(ours / theirs);
        say(`reads, round ${round}: bare Fastify ${Math.round(theirs)}/s, API ${Math.round(ours)}/s`);
      }
      await read(alike.url, 5);
      const others = Math.round(await read(alike.url, SECONDS));
      say(`bare Fastify with the flags of our images, which let it take less memory: ${others}/s`);
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
      await bare.kill();
      await alike.kill();
    }
  } finally {
    await api.kill();
    await sandbox.kill();
  }
}
