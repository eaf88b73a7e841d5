import type { TaskReply } from '../../../tasks/task.ts';
import { get, Refused, request } from '../api.ts';
import { eventData } from '../events.ts';

/** Browsers open six connections to one host over HTTP/1.1; the others are for everything else. */
const STREAMS = 3;
/** How often the tasks that have no stream are asked for, and how long a broken stream waits. */
const PAUSE_MS = 3000;
const GONE = new Set([403, 404, 410]);

export interface Live {
  /** Tells every change of the task until it has ended. */
  follow(id: string): void;
  leave(id: string): void;
}

/** Follows tasks that have not ended: the newest by event streams, the others one after another. */
export function followTasks(onTask: (task: TaskReply) => void): Live {
  const waiting: string[] = [];
  const streams = new Map<string, AbortController>();

  const fill = (): void => {
    while (streams.size < STREAMS) {
      const id = waiting.pop();
      if (id === undefined) return;
      const closing = new AbortController();
      streams.set(id, closing);
      void stream(id, closing.signal).finally(() => {
        streams.delete(id);
        fill();
      });
    }
  };
  const stream = async (id: string, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const { body } = await request(`/api/tasks/${id}/events`, { signal, by: 'page' });
        if (body === null) return;
        for await (const data of eventData(body)) {
          const task: TaskReply = JSON.parse(data);
          onTask(task);
          if (hasEnded(task)) return;
        }
      } catch (error) {
        // It is gone, or may not be seen any more; asking again would not help.
        if (error instanceof Refused && GONE.has(error.status)) return;
      }
      await pause(PAUSE_MS);
    }
  };
  const askOthers = async (): Promise<void> => {
    for (const id of [...waiting]) {
      const task = await get<TaskReply>(`/api/tasks/${id}`, { by: 'page' }).catch(() => undefined);
      if (task === undefined || !waiting.includes(id)) continue;
      onTask(task);
      if (hasEnded(task)) drop(id);
    }
  };
  const drop = (id: string): void => {
    const at = waiting.indexOf(id);
    if (at >= 0) waiting.splice(at, 1);
  };
  const turn = async (): Promise<void> => {
    for (;;) {
      await pause(PAUSE_MS);
      if (!document.hidden) await askOthers();
    }
  };
  void turn();
  return {
    follow(id) {
      if (streams.has(id) || waiting.includes(id)) return;
      waiting.push(id);
      fill();
    },
    leave(id) {
      drop(id);
      streams.get(id)?.abort();
    },
  };
}

export const hasEnded = ({ status }: Pick<TaskReply, 'status'>): boolean =>
  status === 'succeeded' || status === 'failed';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
