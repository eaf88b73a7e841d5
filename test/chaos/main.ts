/** The long form of the kill test: `npm run chaos -- SECONDS`. Ends with 1 when a task was lost or paid twice. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type ReplicasReport, runReplicas } from './replicas.ts';

const seconds = Number(process.argv[2] ?? 600);
if (!Number.isFinite(seconds) || seconds <= 0) throw new Error('usage: npm run chaos -- SECONDS');
const settings = { seconds, replicas: 3, concurrency: 6, clients: 8, killEveryMs: 1500 };
let told = 0;
const report = await runReplicas({
  ...settings,
  onProgress(text) {
    if (performance.now() - told < 10_000) return;
    told = performance.now();
    console.log(text);
  },
});
const problems = problemsOf(report);
const folder = join(import.meta.dirname, 'results');
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'replicas.md'), describe(report, problems));
console.log(describe(report, problems));
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

function describe(seen: ReplicasReport, problems: readonly string[]): string {
  const rows: [string, number][] = [
    ['processes killed (SIGKILL)', seen.kills],
    ['faults of Kling besides', seen.faults],
    ['tasks asked for', seen.wanted],
    ['tasks that ended well', seen.succeeded],
    ['tasks charged', seen.charged],
    ['tasks charged twice', seen.chargedTwice],
    ['idempotency keys with several tasks', seen.keysWithSeveralTasks],
    ['sent by a dead process, found by another', seen.takeovers],
    ['waits answered by another replica than the creator', seen.foreignWaits],
    [`most tasks at once (limit ${settings.concurrency})`, seen.most],
    ['creates over the limit', seen.busy],
  ];
  return [
    '# Replicas killed at random',
    '',
    `${settings.replicas} API processes on one PostgreSQL database, ${settings.clients} clients, a kill every ${settings.killEveryMs / 1000} s, for ${Math.round(seen.seconds)} s on ${cpus().length} cores, ${new Date().toISOString().slice(0, 10)}. Made by \`npm run chaos -- ${seconds}\`. ${problems.length === 0 ? 'Nothing was lost, nothing was paid twice.' : `**Failed: ${problems.join('; ')}.**`}`,
    '',
    '| what | number |',
    '| --- | ---: |',
    ...rows.map(([what, number]) => `| ${what} | ${number} |`),
    '',
  ].join('\n');
}
