import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sendClosedLoop } from '../closed-loop.ts';
import type { Figure } from '../figures.ts';
import { sendOpenLoop } from '../open-loop.ts';
import { JSON_HEADERS, startApi, startSandbox } from './processes.ts';
import { makeTask } from './task.ts';

const TASKS = 100_000;
const GOAL_MB = 200;

/** Resident memory of the API on 100,000 stored tasks, at its highest while it is used in every way. */
export async function measureMemory(say: (text: string) => void): Promise<Figure[]> {
  const sandbox = await startSandbox(0);
  const api = await startApi(sandbox.url, undefined);
  try {
    await makeTask(api.url);
    await api.restart((dataDir) => copyTasks(join(dataDir, 'tasks.db')));
    let most = 0;
    const look = async (what: string): Promise<void> => {
      const bytes = await api.memory();
      most = Math.max(most, bytes);
      say(`memory with ${TASKS} tasks, ${what}: ${megabytes(bytes)} MB`);
    };
    await look('started');
    const body = (index: number) => JSON.stringify({ model_name: 'kling-v3', prompt: `a lighthouse, number ${index}` });
    const creates = { headers: JSON_HEADERS, url: api.url, path: '/api/images/generations', body };
    await sendOpenLoop({ ...creates, perSecond: 100, seconds: 10 });
    await look('1,000 more made');
    for (const path of ['/api/tasks?limit=100', '/api/usage', '/api/tasks?status=failed']) {
      await sendClosedLoop({ url: api.url + path, headers: JSON_HEADERS }, { seconds: 5 });
      await look(path);
    }
    await walk(api.url);
    await look('10,000 tasks listed page by page');
    const seen = megabytes(most);
    const what = `resident memory with ${TASKS.toLocaleString('en')} stored tasks, at its highest`;
    return [{ what, seen: `${seen} MB`, goal: `< ${GOAL_MB} MB`, holds: most < GOAL_MB * 1_000_000 }];
  } finally {
    await api.kill();
    await sandbox.kill();
  }
}

/** Makes many of the one task that is there, each a second older than the one before. */
async function copyTasks(path: string): Promise<void> {
  const file = new DatabaseSync(path);
  const names = file
    .prepare('PRAGMA table_info(tasks)')
    .all()
    .map((column) => String(column['name']));
  const values = names.map(
    (name) =>
      ({ id: "printf('%08x', n) || substr(id, 9)", upstream_id: "'copy-' || n", created_at: 'created_at - n * 1000' })[
        name
      ] ?? name,
  );
  file.exec(`
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${TASKS})
    INSERT INTO tasks (${names.join(', ')}) SELECT ${values.join(', ')} FROM tasks, counted`);
  file.close();
}

async function walk(url: string): Promise<void> {
  let cursor = '';
  for (let page = 0; page < 100; page += 1) {
    const reply = await fetch(`${url}/api/tasks?limit=100${cursor}`, { headers: JSON_HEADERS });
    const told: unknown = await reply.json();
    if (typeof told !== 'object' || told === null || !('nextCursor' in told)) throw new Error('a page without more');
    cursor = `&cursor=${encodeURIComponent(String(told.nextCursor))}`;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(0);
}
