import { randomUUID } from 'node:crypto';
import { ENDPOINTS, type Kind } from '@klingapi/kling';
import type { Packs } from '../packs.ts';
import { rounded } from '../packs.ts';
import type { SandboxTask } from './task.ts';

export type NewTask = Omit<SandboxTask, 'id' | 'sequence' | 'createdAt' | 'finishesAt'>;

export interface TaskBookOptions {
  /** From submitted to succeed for pictures; videos take twice as long. */
  readonly taskSeconds: number;
  readonly now: () => number;
  readonly packs: Packs;
  /** Tasks at once of one account, model and type of pack, a picture counting for one; undefined: any number. */
  readonly concurrency?: number | undefined;
  /** Makes (and charges) a task again for an external id that was used: for tests that must not lean on the refusal. */
  readonly acceptsDuplicates?: boolean | undefined;
  /** So many tasks are remembered; the oldest that has ended goes first. */
  readonly kept?: number | undefined;
}

export interface Charges {
  readonly tasks: number;
  readonly units: number;
  /** The most slots that one pool had in use at once. */
  readonly most: number;
  /** Creates that were refused because as many ran as may. */
  readonly busy: number;
  /** Of the tasks that are remembered. */
  readonly charges: readonly {
    readonly task_id: string;
    readonly external_task_id?: string;
    readonly units: number;
  }[];
  /** Paid calls that made no task, such as speech. */
  readonly calls: number;
}

export interface TaskBook {
  /** Or why there is none, in which case nothing is charged. */
  add(task: NewTask): SandboxTask | 'exists' | 'busy' | 'empty';
  /** Charges a call that makes no task. */
  pay(account: string, units: number): boolean;
  find(account: string, kind: Kind, id: string): SandboxTask | undefined;
  /** Of any kind. */
  findAny(account: string, by: 'id' | 'externalId', id: string): SandboxTask | undefined;
  /** Newest first. */
  list(account: string, kind: Kind, page: number, size: number): SandboxTask[];
  /** Of all kinds, newest first. */
  all(account?: string): SandboxTask[];
  byId(id: string): SandboxTask | undefined;
  charges(): Charges;
  /** Counts from 0 again; the tasks stay. */
  resetCharges(): void;
  clear(): void;
}

/** A task that nobody asks for any more is forgotten, here by number. */
const KEPT = 10_000;
const NOTHING = { tasks: 0, units: 0, calls: 0, most: 0, busy: 0, from: 0 };

export function createTaskBook(options: TaskBookOptions): TaskBook {
  const { taskSeconds, now, packs, concurrency, acceptsDuplicates, kept = KEPT } = options;
  const tasks = new Map<string, SandboxTask>();
  const external = new Map<string, string>();
  const externalKey = (account: string, id: string) => `${account}\n${id}`;
  const running = new Map<string, SandboxTask[]>();
  let charged = { ...NOTHING };
  let sequence = 0;

  /** What runs now, of the tasks that count against one limit. */
  const poolOf = (task: NewTask): SandboxTask[] => {
    const name = `${task.account}\n${task.model}\n${task.pack}`;
    const still = (running.get(name) ?? []).filter(({ finishesAt }) => finishesAt > now());
    // Put last, so that pools that nobody uses any more come first and go.
    running.delete(name);
    running.set(name, still);
    const [oldest] = running.keys();
    if (running.size > kept && oldest !== undefined) running.delete(oldest);
    return still;
  };

  const forgetOldest = () => {
    if (tasks.size <= kept) return;
    const oldest = oldestOf(tasks.values(), now());
    if (oldest === undefined) return;
    tasks.delete(oldest.id);
    if (oldest.externalId === undefined) return;
    const key = externalKey(oldest.account, oldest.externalId);
    if (external.get(key) === oldest.id) external.delete(key);
  };

  return {
    add(task) {
      const known = task.externalId !== undefined && external.has(externalKey(task.account, task.externalId));
      if (known && acceptsDuplicates !== true) return 'exists';
      const pool = poolOf(task);
      const used = pool.reduce((slots, { count }) => slots + count, 0);
      const limit = packs.slots(task.account, task.pack) ?? concurrency;
      if (limit !== undefined && used > 0 && used + task.count > limit) {
        charged.busy += 1;
        return 'busy';
      }
      if (!packs.take(task.account, task.pack, task.units)) return 'empty';
      const createdAt = now();
      const seconds = taskSeconds * (ENDPOINTS[task.kind].result === 'videos' ? 2 : 1);
      const ends = task.struck?.fault !== 'task-never-ends';
      const finishesAt = ends ? createdAt + seconds * 1000 : Infinity;
      sequence += 1;
      const made = { ...task, id: randomUUID(), sequence, createdAt, finishesAt };
      tasks.set(made.id, made);
      pool.push(made);
      if (made.externalId !== undefined && !known) external.set(externalKey(made.account, made.externalId), made.id);
      charged.most = Math.max(charged.most, used + made.count);
      charged.tasks += 1;
      charged.units = rounded(charged.units + made.units);
      forgetOldest();
      return made;
    },
    pay(account, units) {
      if (!packs.take(account, 'video', units)) return false;
      if (units > 0) charged.calls += 1;
      charged.units = rounded(charged.units + units);
      return true;
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
    all: (account) => [...tasks.values()].filter((task) => account === undefined || task.account === account).reverse(),
    byId: (id) => tasks.get(id),
    charges: () => {
      const { from, ...sums } = charged;
      const counted = [...tasks.values()].filter((task) => task.sequence > from);
      return {
        ...sums,
        charges: counted.map((task) => ({
          task_id: task.id,
          ...(task.externalId === undefined ? {} : { external_task_id: task.externalId }),
          units: task.units,
        })),
      };
    },
    resetCharges() {
      charged = { ...NOTHING, from: sequence };
    },
    clear() {
      for (const map of [tasks, external, running]) map.clear();
      charged = { ...NOTHING, from: sequence };
    },
  };
}

/** Of those that have ended, or of all while none has. */
function oldestOf(tasks: Iterable<SandboxTask>, now: number): SandboxTask | undefined {
  let first: SandboxTask | undefined;
  for (const task of tasks) {
    if (task.finishesAt <= now) return task;
    first ??= task;
  }
  return first;
}
