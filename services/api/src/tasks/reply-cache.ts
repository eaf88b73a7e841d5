import type { Store } from '../storage/store.ts';
import { describeTask, hasEnded, type TaskReply, taskReplySchema } from './task.ts';

/** A task as callers read it: asked for far more often than it changes. */
export interface Reply {
  readonly subject: string;
  readonly task: TaskReply;
  /** The task as it is sent. */
  readonly json: string;
}

export interface ReplyCache {
  /** @returns undefined when there is no such task */
  of(id: string): Promise<Reply | undefined>;
}

export interface ReplyCacheOptions {
  readonly store: Pick<Store, 'find' | 'onChange' | 'shared'>;
  readonly publicUrl: string | undefined;
}

const MOST = 1000;
/** Longer ones are rare, and would make the memory that this takes hard to tell. */
const LONGEST = 16_384;

/**
 * Remembers replies until their task changes. Of a task that has ended nothing changes that a reply shows. On shared
 * storage word of other replicas' changes can be late or lost, so there only ended tasks are remembered.
 */
export function createReplyCache({ store, publicUrl }: ReplyCacheOptions): ReplyCache {
  const known = new Map<string, Reply>();
  let changes = 0;
  store.onChange((id) => {
    changes += 1;
    known.delete(id);
  });

  const remember = (id: string, reply: Reply): void => {
    known.delete(id);
    known.set(id, reply);
    if (known.size <= MOST) return;
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  };

  return {
    async of(id) {
      const remembered = known.get(id);
      if (remembered !== undefined) return remembered;
      const before = changes;
      const task = await store.find(id);
      if (task === undefined) return undefined;
      const told = taskReplySchema.parse(describeTask(task, publicUrl));
      const reply = { subject: task.subject, task: told, json: JSON.stringify(told) };
      const lasts = hasEnded(task) || (!store.shared && before === changes);
      if (lasts && reply.json.length <= LONGEST) remember(id, reply);
      return reply;
    },
  };
}
