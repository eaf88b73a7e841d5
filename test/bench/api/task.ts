import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { JSON_HEADERS } from './processes.ts';

const taskSchema = z.looseObject({ id: z.string(), status: z.string() });

/** A task of four pictures that has ended. @returns its path on the API, and the reply there */
export async function makeTask(url: string): Promise<{ readonly path: string; readonly reply: string }> {
  const made = await fetch(`${url}/api/images/generations`, {
    method: 'POST',
    headers: JSON_HEADERS,
    body: JSON.stringify({ model_name: 'kling-v3', prompt: 'a lighthouse', n: 4 }),
  });
  const { id } = taskSchema.parse(await made.json());
  const path = `/api/tasks/${id}`;
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(100)) {
    const reply = await (await fetch(url + path, { headers: JSON_HEADERS })).text();
    if (taskSchema.parse(JSON.parse(reply)).status === 'succeeded') return { path, reply };
  }
  throw new Error('the task did not end within 30 s');
}
