/** The long form, so many seconds for each setting: `npm run fuzz -- SECONDS SEED`. Ends with 1 when something was found. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '../postgres/server.ts';
import { type FuzzReport, fuzz } from './schemathesis.ts';
import { startTarget } from './target.ts';

const seconds = Number(process.argv[2] ?? 900);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
if (!(Number.isInteger(seconds) && seconds > 0 && Number.isInteger(seed))) {
  throw new Error('usage: npm run fuzz -- SECONDS SEED');
}

interface Row extends FuzzReport {
  readonly setting: string;
  readonly charged: number;
  readonly logged: readonly string[];
}

const postgres = await startPostgres();
const rows: Row[] = [];
try {
  for (const auth of ['callers', 'none'] as const) {
    for (const database of ['SQLite', 'PostgreSQL'] as const) {
      const setting = `${auth === 'callers' ? 'callers' : 'no authentication'}, ${database}`;
      console.log(`${setting}: ${seconds} seconds, seed ${seed}`);
      const target = await startTarget({
        auth,
        ...(database === 'SQLite' ? {} : { databaseUrl: await postgres.createDatabase() }),
      });
      try {
        const report = await fuzz({ target, seed, seconds });
        rows.push({ ...report, setting, charged: await target.charged(), logged: [...target.failures] });
        console.log(report.failures, ...target.failures);
      } finally {
        await target.close();
      }
    }
  }
} finally {
  await postgres.stop();
}

const broken = rows.filter(({ failures, logged }) => failures !== '' || logged.length > 0);
const folder = join(import.meta.dirname, '../chaos/results');
await mkdir(folder, { recursive: true });
await writeFile(
  join(folder, 'fuzz.md'),
  [
    '# The whole OpenAPI document, fuzzed',
    '',
    `Schemathesis against a real API process before the sandbox, ${new Date().toISOString().slice(0, 10)}. Made by \`npm run fuzz -- ${seconds} ${seed}\`. ${broken.length === 0 ? 'No 5xx, no reply outside its schema, no failure in the log.' : `**Something was found: ${broken.map(({ setting }) => setting).join('; ')}.**`}`,
    '',
    '| setting | operations | requests | tasks that were made | findings | failures in the log |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ setting, operations, cases, charged, failures, logged }) =>
        `| ${setting} | ${operations} | ${cases} | ${charged} | ${failures === '' ? 'none' : 'some'} | ${logged.length} |`,
    ),
    '',
  ].join('\n'),
);
if (broken.length > 0) process.exitCode = 1;
