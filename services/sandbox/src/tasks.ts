import { randomUUID } from 'node:crypto';
import { ENDPOINTS, estimate, type Kind, type KlingRequest } from '@klingapi/kling';
import { legacyResult, outputs } from './results.ts';

export interface SandboxTask {
  readonly id: string;
  readonly kind: Kind;
  readonly externalId: string | undefined;
  /** The account it belongs to: the bearer key it came with. */
  readonly account: string;
  readonly model: string;
  readonly prompt: string;
  readonly aspectRatio: string;
  readonly count: number;
  readonly seconds: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly finishesAt: number;
  readonly units: number;
  /** Where changes are told. */
  readonly callbackUrl: string | undefined;
}

export type NewTask = Omit<SandboxTask, 'id' | 'createdAt' | 'finishesAt' | 'units'> & {
  readonly request: KlingRequest;
};

export interface TaskBookOptions {
  /** From submitted to succeed for pictures; videos take twice as long. */
  readonly taskSeconds: number;
  readonly now: () => number;
  /** Tasks at once of one account, model and kind of result, a picture counting for one; undefined: any number. */
  readonly concurrency?: number | undefined;
  /** Makes (and charges) a task again for an external id that was used: for tests that must not lean on the refusal. */
  readonly acceptsDuplicates?: boolean | undefined;
}

export interface Charges {
  readonly tasks: number;
  readonly units: number;
  /** The most slots that one pool had in use at once. */
  readonly most: number;
  /** Creates that were refused because as many ran as may. */
  readonly busy: number;
  readonly charges: readonly {
    readonly task_id: string;
    readonly external_task_id?: string;
    readonly units: number;
  }[];
}

export interface TaskBook {
  /** Or why there is none, in which case nothing is charged. */
  add(task: NewTask): SandboxTask | 'exists' | 'busy';
  find(account: string, kind: Kind, id: string): SandboxTask | undefined;
  /** Of any kind. */
  findAny(account: string, by: 'id' | 'externalId', id: string): SandboxTask | undefined;
  /** Newest first. */
  list(account: string, kind: Kind, page: number, size: number): SandboxTask[];
  /** Of all kinds, newest first. */
  all(account: string): SandboxTask[];
  byId(id: string): SandboxTask | undefined;
  charges(): Charges;
}

/** As the vendor's price list has it; what is not on it costs as much as a usual picture or silent video. */
function price({ kind, request, count, seconds }: NewTask): number {
  const told = estimate(kind, request);
  if (told === undefined) return ENDPOINTS[kind].result === 'images' ? 8 * count : 0.3 * Number(seconds);
  // Given sounds and videos are not looked at; each counts for five seconds.
  return told.per === 'second' ? told.units * 5 : told.units;
}

/** A task that nobody asks for any more is forgotten, as the vendor deletes assets after 30 days; here by number. */
const KEPT = 10_000;

export function createTaskBook({ taskSeconds, now, concurrency, acceptsDuplicates }: TaskBookOptions): TaskBook {
  const tasks = new Map<string, SandboxTask>();
  const external = new Map<string, string>();
  const externalKey = (account: string, id: string) => `${account}\n${id}`;
  const running = new Map<string, SandboxTask[]>();
  let charged = { tasks: 0, units: 0 };
  let most = 0;
  let busy = 0;

  /** What runs now of the pool that the task counts against. */
  const poolOf = (task: NewTask): SandboxTask[] => {
    const pool = `${task.account}\n${task.model}\n${ENDPOINTS[task.kind].result}`;
    const still = (running.get(pool) ?? []).filter(({ finishesAt }) => finishesAt > now());
    running.set(pool, still);
    return still;
  };

  return {
    add(task) {
      const known = task.externalId !== undefined && external.has(externalKey(task.account, task.externalId));
      if (known && acceptsDuplicates !== true) return 'exists';
      const pool = poolOf(task);
      const used = pool.reduce((slots, { count }) => slots + count, 0);
      if (concurrency !== undefined && used > 0 && used + task.count > concurrency) {
        busy += 1;
        return 'busy';
      }
      const createdAt = now();
      const seconds = taskSeconds * (ENDPOINTS[task.kind].result === 'videos' ? 2 : 1);
      const { request: _, ...kept } = task;
      const made = { ...kept, id: randomUUID(), createdAt, finishesAt: createdAt + seconds * 1000, units: price(task) };
      tasks.set(made.id, made);
      pool.push(made);
      most = Math.max(most, used + made.count);
      if (made.externalId !== undefined && !known) external.set(externalKey(made.account, made.externalId), made.id);
      charged = { tasks: charged.tasks + 1, units: charged.units + made.units };
      const [oldest] = tasks.values();
      if (tasks.size > KEPT && oldest !== undefined) {
        tasks.delete(oldest.id);
        if (oldest.externalId !== undefined) external.delete(externalKey(oldest.account, oldest.externalId));
      }
      return made;
    },
    find(account, kind, id) {
      const task = tasks.get(external.get(externalKey(account, id)) ?? id);
      return task?.kind === kind && task.account === account ? task : undefined;
    },
    findAny(account, by, id) {
      const task = tasks.get((by === 'id' ? id : external.get(externalKey(account, id))) ?? '');
      return task?.account === account ? task : undefined;
    },
    list(account, kind, page, size) {
      const own = [...tasks.values()].filter((task) => task.kind === kind && task.account === account).reverse();
      return own.slice((page - 1) * size, page * size);
    },
    all: (account) => [...tasks.values()].filter((task) => task.account === account).reverse(),
    byId: (id) => tasks.get(id),
    charges: () => ({
      ...charged,
      most,
      busy,
      charges: [...tasks.values()].map((task) => ({
        task_id: task.id,
        ...(task.externalId === undefined ? {} : { external_task_id: task.externalId }),
        units: task.units,
      })),
    }),
  };
}

/** The first tenth of a task's life is `submitted`, then it is `processing`. */
export function statusAt(task: SandboxTask, now: number): 'submitted' | 'processing' | 'succeed' {
  if (now >= task.finishesAt) return 'succeed';
  return now < task.createdAt + (task.finishesAt - task.createdAt) / 10 ? 'submitted' : 'processing';
}

/**
 * The task as the vendor tells it.
 * @param base scheme and host that the client reached us by, so that result URLs work for it
 */
export function describeTask(task: SandboxTask, now: number, base: string): Record<string, unknown> {
  const status = statusAt(task, now);
  return {
    task_id: task.id,
    task_status: status,
    task_status_msg: '',
    task_info: task.externalId === undefined ? {} : { external_task_id: task.externalId },
    created_at: task.createdAt,
    updated_at: status === 'succeed' ? task.finishesAt : Math.min(now, task.finishesAt),
    ...(status === 'succeed'
      ? { task_result: legacyResult(task, base), final_unit_deduction: String(task.units) }
      : {}),
  };
}

/** The task as `GET /tasks` and the callbacks of the new family tell it. */
export function describeRecord(task: SandboxTask, now: number, base: string): Record<string, unknown> {
  const status = statusAt(task, now);
  const isPicture = ENDPOINTS[task.kind].result === 'images';
  return {
    id: task.id,
    status: status === 'succeed' ? 'succeeded' : status,
    message: '',
    create_time: task.createdAt,
    update_time: status === 'succeed' ? task.finishesAt : Math.min(now, task.finishesAt),
    ...(task.externalId === undefined ? {} : { external_id: task.externalId }),
    ...(status === 'succeed'
      ? {
          outputs: outputs(task, base),
          billing: [{ charge_type: 'unit', amount: String(task.units), package_type: isPicture ? 'image' : 'video' }],
        }
      : {}),
  };
}
