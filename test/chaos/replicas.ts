import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, startSandbox } from '@klingapi/sandbox';
import { z } from 'zod';
import { startApiProcess } from '../api-process.ts';
import { startPostgres } from '../postgres/server.ts';
import type { ServiceProcess } from '../service-process.ts';

export interface ReplicasOptions {
  /** How long new tasks come and processes are killed; then all tasks are waited for. */
  readonly seconds: number;
  readonly replicas: number;
  /** Tasks of one model at once, for the sandbox and for all replicas together. */
  readonly concurrency: number;
  /** Clients that create one task after another. */
  readonly clients: number;
  /** Milliseconds between kills, on average. */
  readonly killEveryMs: number;
  /**
   * Freezes processes for longer than their lease as often as it kills them. One
   * that is frozen with its request half sent goes on with it afterwards, which
   * nothing on our side can prevent; so the sandbox then refuses an external id
   * that it knows, as Kling does.
   */
  readonly freezes?: boolean;
  readonly random?: () => number;
  readonly onProgress?: (text: string) => void;
}

export interface ReplicasReport {
  readonly kills: number;
  readonly freezes: number;
  /** Tasks that clients asked for. */
  readonly wanted: number;
  readonly succeeded: number;
  /** Idempotency keys that stood for more than one task. */
  readonly keysWithSeveralTasks: number;
  readonly charged: number;
  readonly chargedTwice: number;
  /** The most that ran at once at the sandbox. */
  readonly most: number;
  /** Creates that the sandbox refused because too many ran. */
  readonly busy: number;
  readonly faults: number;
  /** Tasks that another process had sent, and that were found instead of sent again. */
  readonly takeovers: number;
  /** Waits that were answered by a replica other than the one that created the task. */
  readonly foreignWaits: number;
  readonly seconds: number;
}

const LEASE_SECONDS = 1;
const ENDS_WITHIN_MS = 120_000;
/** What happens to creates now and then besides the kills; each is charged or not as its name says. */
const FAULTS: readonly Fault[] = ['after-create-reset', 'after-create-5000', '5000', '1302', 'html'];
/** The task is made and charged and nobody is told: only a kill ends it soon, and then another replica must find it. */
const UNTOLD: Fault = 'after-create-hang';
const UNTOLD_EVERY = 10;
const FAULT_SHARE = 0.05;

const chargesSchema = z.object({
  tasks: z.number(),
  most: z.number(),
  busy: z.number(),
  charges: z.array(z.object({ external_task_id: z.string() })),
});
const taskSchema = z.object({ id: z.string(), status: z.string() });

/** Several API processes on one database, killed at random while they make tasks. */
export async function runReplicas(options: ReplicasOptions): Promise<ReplicasReport> {
  const { seconds, replicas, concurrency, clients, killEveryMs } = options;
  const random = options.random ?? Math.random;
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  let began = performance.now();
  let until = Number.POSITIVE_INFINITY;
  let creates = 0;
  const seen = { kills: 0, freezes: 0, faults: 0, takeovers: 0, foreignWaits: 0 };
  const postgres = await startPostgres();
  const sandbox = await startSandbox({
    host: '127.0.0.1',
    port: 0,
    taskSeconds: 0.3,
    concurrency,
    acceptsDuplicates: options.freezes !== true,
    fault: (method) => {
      if (method !== 'POST') return undefined;
      creates += 1;
      // Every process is killed once more at the end, so that nothing hangs after that.
      if (creates % UNTOLD_EVERY === 5 && performance.now() < until) return UNTOLD;
      if (random() >= FAULT_SHARE) return undefined;
      seen.faults += 1;
      return pick(FAULTS);
    },
  });
  const env = {
    KLING_BASE_URL: sandbox.url,
    DATABASE_URL: await postgres.createDatabase(),
    KLING_CONCURRENCY: String(concurrency),
    LEASE_SECONDS: String(LEASE_SECONDS),
    LOG_LEVEL: 'info',
    DRAIN_SECONDS: '5',
  };
  const start = () =>
    startApiProcess(env, (line) => {
      if (line.includes('"found":"upstream"')) seen.takeovers += 1;
    });
  const running: ServiceProcess[] = [];
  const ids = new Map<string, Set<string>>();
  let succeeded = 0;

  /** One task, whatever happens to the replicas meanwhile. */
  const make = async (key: string): Promise<void> => {
    const known = new Set<string>();
    ids.set(key, known);
    const giveUp = began + seconds * 1000 + ENDS_WITHIN_MS;
    let creator = '';
    const created = await untilAnswered(giveUp, async () => {
      const { url } = pick(running);
      const task = await post(`${url}/api/images/generations`, { prompt: key }, { 'idempotency-key': key }, [202]);
      creator = url;
      return task;
    });
    known.add(created.id);
    const ended = await untilAnswered(giveUp, async () => {
      const { url } = pick(running);
      const task = await post(`${url}/api/tasks/${created.id}/wait`, { timeoutSeconds: 20 }, {}, [200]);
      if (task?.status !== 'succeeded' && task?.status !== 'failed') return undefined;
      if (url !== creator) seen.foreignWaits += 1;
      return task;
    });
    known.add(ended.id);
    if (ended.status === 'succeeded') succeeded += 1;
    // The key still stands for the same task, whoever is asked.
    const again = await untilAnswered(giveUp, () =>
      post(`${pick(running).url}/api/images/generations`, { prompt: key }, { 'idempotency-key': key }, [202]),
    );
    known.add(again.id);
  };

  try {
    running.push(...(await Promise.all(Array.from({ length: replicas }, start))));
    const client = async (name: number): Promise<void> => {
      for (let at = 0; performance.now() < until; at += 1) await make(`c${name}-${at}`);
    };
    /** The others go on while it starts again. */
    const killOne = async (api: ServiceProcess): Promise<void> => {
      running.splice(running.indexOf(api), 1);
      await api.kill();
      seen.kills += 1;
      running.push(await start());
      options.onProgress?.(`${seen.kills} kills, ${ids.size} tasks, ${seen.takeovers} taken over`);
    };
    const killer = async (): Promise<void> => {
      const killing: Promise<void>[] = [];
      while (performance.now() < until) {
        if (options.freezes === true && random() < 0.5) {
          seen.freezes += 1;
          killing.push(pick(running).freeze(LEASE_SECONDS * 2500));
        } else if (running.length > 1) killing.push(killOne(pick(running)));
        await pause(killEveryMs * (0.5 + random()));
      }
      await Promise.all(killing);
      for (const api of [...running]) await killOne(api);
    };
    began = performance.now();
    until = began + seconds * 1000;
    await Promise.all([...Array.from({ length: clients }, (_, name) => client(name)), killer()]);
    const { tasks, most, busy, charges } = chargesSchema.parse(
      await (await fetch(`${sandbox.url}/sandbox/charges`)).json(),
    );
    return {
      ...seen,
      wanted: ids.size,
      succeeded,
      keysWithSeveralTasks: [...ids.values()].filter((known) => known.size !== 1).length,
      charged: tasks,
      chargedTwice: charges.length - new Set(charges.map(({ external_task_id: id }) => id)).size,
      most,
      busy,
      seconds: (performance.now() - began) / 1000,
    };
  } finally {
    await Promise.all(running.map((api) => api.kill()));
    await sandbox.close();
    await postgres.stop();
  }
}

async function post(
  url: string,
  body: unknown,
  headers: Record<string, string>,
  good: readonly number[],
): Promise<z.infer<typeof taskSchema> | undefined> {
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(40_000),
    });
    const text = await reply.text();
    return good.includes(reply.status) ? taskSchema.parse(JSON.parse(text)) : undefined;
  } catch (error) {
    // Killed while it answered.
    if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) return undefined;
    throw error;
  }
}

async function untilAnswered<T>(end: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error('a task did not end');
    await pause(50);
  }
}
