/** The long form of the kill test, twice so many seconds: `npm run chaos -- SECONDS`. Ends with 1 when a task was lost or paid twice. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type ReplicasReport, runReplicas } from './replicas.ts';

const seconds = Number(process.argv[2] ?? 300);
if (!Number.isFinite(seconds) || seconds <= 0) throw new Error('usage: npm run chaos -- SECONDS');
const settings = { seconds, replicas: 3, concurrency: 6, clients: 8, killEveryMs: 1500 };
let told = 0;
const run = (freezes: boolean): Promise<ReplicasReport> =>
  runReplicas({
    ...settings,
    freezes,
    onProgress(text) {
      if (performance.now() - told < 10_000) return;
      told = performance.now();
      console.log(text);
    },
  });
const reports = [await run(false), await run(true)];
const problems = reports.flatMap(problemsOf);
const folder = join(import.meta.dirname, 'results');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'replicas.md'), describe());
console.log(describe());
if (problems.length > 0) process.exitCode = 1;

function problemsOf(seen: ReplicasReport): string[] {
  const checks: [boolean, string][] = [
    [seen.succeeded === seen.wanted, 'tasks were lost'],
    [seen.charged === seen.wanted && seen.chargedTwice === 0, 'tasks were paid twice, or not at all'],
    [seen.keysWithSeveralTasks === 0, 'one idempotency key stood for several tasks'],
    [seen.most <= settings.concurrency && seen.busy === 0, 'the limit did not hold over all replicas'],
    [seen.kills > 0 && seen.takeovers > 0, 'too little happened to prove anything'],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}

function describe(): string {
  const rows: [string, keyof ReplicasReport][] = [
    ['processes killed (SIGKILL)', 'kills'],
    ['processes frozen for longer than their lease', 'freezes'],
    ['faults of Kling besides', 'faults'],
    ['tasks asked for', 'wanted'],
    ['tasks that ended well', 'succeeded'],
    ['tasks charged', 'charged'],
    ['tasks charged twice', 'chargedTwice'],
    ['idempotency keys with several tasks', 'keysWithSeveralTasks'],
    ['sent by one process, found by another', 'takeovers'],
    ['waits answered by another replica than the creator', 'foreignWaits'],
    [`most tasks at once (limit ${settings.concurrency})`, 'most'],
    ['creates over the limit', 'busy'],
    ['seconds', 'seconds'],
  ];
  return [
    '# Replicas killed and frozen at random',
    '',
    `${settings.replicas} API processes on one PostgreSQL database, ${settings.clients} clients, a blow every ${settings.killEveryMs / 1000} s, on ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}. Made by \`npm run chaos -- ${seconds}\`. ${problems.length === 0 ? 'Nothing was lost, nothing was paid twice.' : `**Failed: ${problems.join('; ')}.**`}`,
    '',
    '| what | kills alone; duplicates are charged | with freezes; duplicates are refused, as by Kling |',
    '| --- | ---: | ---: |',
    ...rows.map(([what, field]) => `| ${what} | ${reports.map((seen) => Math.round(seen[field])).join(' | ')} |`),
    '',
  ].join('\n');
}
