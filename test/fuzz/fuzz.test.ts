import { afterEach, expect, it } from 'vitest';
import { startPostgres } from '../postgres/server.ts';
import { fuzz } from './schemathesis.ts';
import { startTarget } from './target.ts';

const SEED = 20_261_124;
const SECONDS = 80;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The settings side by side, each with a service, a sandbox and a database of its own. */
it.concurrent.each([
  { auth: 'callers', database: 'SQLite' },
  { auth: 'none', database: 'PostgreSQL' },
] as const)('nothing breaks the service or its promises: $auth on $database', async ({ auth, database }) => {
  const postgres = database === 'PostgreSQL' ? await startPostgres() : undefined;
  if (postgres !== undefined) closing.push(() => postgres.stop());
  const target = await startTarget({
    auth,
    ...(postgres === undefined ? {} : { databaseUrl: await postgres.createDatabase() }),
  });
  closing.push(() => target.close());
  const seen = await fuzz({ target, seed: SEED, seconds: SECONDS });
  expect(seen.failures).toBe('');
  expect(target.failures).toEqual([]);
  // It did something: every operation, and creates that reached the sandbox.
  expect(seen.operations).toBeGreaterThan(140);
  expect(seen.cases).toBeGreaterThan(1000);
  expect(await target.charged()).toBeGreaterThan(0);
});
