import { randomUUID } from 'node:crypto';
import { ENDPOINTS, type Kind } from '@klingapi/kling';

export interface SandboxTask {
  readonly id: string;
  readonly kind: Kind;
  readonly externalId: string | undefined;
  /** The account it belongs to: the bearer key it came with. */
  readonly account: string;
  readonly prompt: string;
  readonly aspectRatio: string;
  readonly count: number;
  readonly seconds: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
  readonly finishesAt: number;
  readonly units: number;
}

export type NewTask = Pick<
  SandboxTask,
  'kind' | 'externalId' | 'account' | 'prompt' | 'aspectRatio' | 'count' | 'seconds'
>;

export interface TaskBook {
  /** Undefined when the account has a task with this external id already; then nothing is charged. */
  add(task: NewTask): SandboxTask | undefined;
  find(account: string, kind: Kind, id: string): SandboxTask | undefined;
  /** Newest first. */
  list(account: string, kind: Kind, page: number, size: number): SandboxTask[];
  byId(id: string): SandboxTask | undefined;
  charges(): { tasks: number; units: number; charges: { task_id: string; external_task_id?: string; units: number }[] };
}

/** Units as in the vendor's table: kling-v3 pictures 8 each, standard video 0.3 a second. */
function price(task: NewTask): number {
  return ENDPOINTS[task.kind].result === 'images' ? 8 * task.count : 0.3 * Number(task.seconds);
}

/** A task that nobody asks for any more is forgotten, as the vendor deletes assets after 30 days; here by number. */
const KEPT = 10_000;

/** @param imageSeconds from submitted to succeed for pictures; videos take twice as long */
export function createTaskBook(imageSeconds: number, now: () => number): TaskBook {
  const tasks = new Map<string, SandboxTask>();
  const external = new Map<string, string>();
  const externalKey = (account: string, id: string) => `${account}\n${id}`;
  let charged = { tasks: 0, units: 0 };

  return {
    add(task) {
      if (task.externalId !== undefined && external.has(externalKey(task.account, task.externalId))) return undefined;
      const createdAt = now();
      const seconds = imageSeconds * (ENDPOINTS[task.kind].result === 'videos' ? 2 : 1);
      const made = { ...task, id: randomUUID(), createdAt, finishesAt: createdAt + seconds * 1000, units: price(task) };
      tasks.set(made.id, made);
      if (made.externalId !== undefined) external.set(externalKey(made.account, made.externalId), made.id);
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
    list(account, kind, page, size) {
      const own = [...tasks.values()].filter((task) => task.kind === kind && task.account === account).reverse();
      return own.slice((page - 1) * size, page * size);
    },
    byId: (id) => tasks.get(id),
    charges: () => ({
      ...charged,
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
    ...(status === 'succeed' ? { task_result: result(task, base), final_unit_deduction: String(task.units) } : {}),
  };
}

function result(task: SandboxTask, base: string): Record<string, unknown> {
  if (ENDPOINTS[task.kind].result === 'videos') {
    return { videos: [{ id: `${task.id}-0`, url: `${base}/results/${task.id}/0.mp4`, duration: task.seconds }] };
  }
  const images = Array.from({ length: task.count }, (_, index) => ({
    index,
    url: `${base}/results/${task.id}/${index}.png`,
  }));
  return { images };
}
