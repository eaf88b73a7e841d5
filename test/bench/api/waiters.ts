import { Pool } from 'undici';
import { z } from 'zod';
import type { ServiceProcess } from '../../service-process.ts';
import type { Figure } from '../figures.ts';
import { sendOpenLoop } from '../open-loop.ts';
import { JSON_HEADERS, startApi, startSandbox } from './processes.ts';

const TASKS = 1000;
/** What Kling gives in one answer. */
const BATCH = 20;
const TASK_SECONDS = 15;
const pageSchema = z.object({ tasks: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullish() });

/** Requests to the sandbox for 1,000 tasks with nobody waiting, and for 1,000 more with a caller waiting for each. */
export async function measureWaiters(say: (text: string) => void): Promise<Figure[]> {
  const sandbox = await startSandbox(TASK_SECONDS);
  const api = await startApi(sandbox.url, undefined);
  const body = (index: number) => JSON.stringify({ model_name: 'kling-v3', prompt: `a lighthouse, number ${index}` });
  const make = () =>
    sendOpenLoop({
      ...{ headers: JSON_HEADERS, url: api.url, path: '/api/images/generations', body },
      ...{ perSecond: 200, seconds: TASKS / 200 },
    });
  try {
    const requests = async (wait: boolean): Promise<number> => {
      const before = await asked(sandbox);
      await make();
      const open = await unfinished(api.url);
      if (wait) await waitFor(api.url, open);
      else await settled(api.url);
      return (await asked(sandbox)) - before;
    };
    const alone = await requests(false);
    say(`${TASKS} tasks, nobody waits: ${alone} requests upstream (${TASKS / BATCH} full batches a round)`);
    const waited = await requests(true);
    say(`${TASKS} tasks, a caller waits for each: ${waited} requests upstream`);
    return [
      {
        what: `requests upstream for ${TASKS} tasks with as many waiting callers, against the same tasks with none`,
        seen: `${waited} against ${alone}`,
        goal: 'no more, within 10 %',
        holds: waited <= alone * 1.1,
      },
    ];
  } finally {
    await api.kill();
    await sandbox.kill();
  }
}

/** Questions about tasks that the sandbox has answered. */
async function asked({ managementUrl }: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${managementUrl}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('http_requests_total{') && line.includes('method="GET"'))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function unfinished(url: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null | undefined = '';
  while (cursor !== undefined && cursor !== null) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const reply = await fetch(`${url}/api/tasks?limit=100&status=submitted,processing${query}`, {
      headers: JSON_HEADERS,
    });
    const page = pageSchema.parse(await reply.json());
    ids.push(...page.tasks.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return ids;
}

async function settled(url: string): Promise<void> {
  const deadline = performance.now() + 120_000;
  while ((await unfinished(url)).length > 0) {
    if (performance.now() > deadline) throw new Error('tasks did not end within 2 minutes');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function waitFor(url: string, ids: readonly string[]): Promise<void> {
  const pool = new Pool(url, { connections: ids.length, headersTimeout: 120_000 });
  const wait = async (id: string): Promise<void> => {
    const reply = await pool.request({
      method: 'POST',
      path: `/api/tasks/${id}/wait`,
      headers: JSON_HEADERS,
      body: JSON.stringify({ timeoutSeconds: 100 }),
    });
    const { status } = z.object({ status: z.string() }).parse(await reply.body.json());
    if (status !== 'succeeded') throw new Error(`task ${id} is ${status} after the wait`);
  };
  try {
    await Promise.all(ids.map(wait));
  } finally {
    await pool.close();
  }
}
