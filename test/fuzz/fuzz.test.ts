import { it } from 'vitest';
import { startPostgres } from '../postgres/server.ts';
import { fuzz } from './schemathesis.ts';
import { startTarget } from './target.ts';

const SEED = 20_261_124;
const SECONDS = 80;

/** The settings side by side, each with a service, a sandbox and a database of its own. */
it.concurrent.for([
  { auth: 'callers', database: 'SQLite' },
  { auth: 'none', database: 'PostgreSQL' },
] as const)(
  'nothing breaks the service or its promises: $auth on $database',
  async ({ auth, database }, { expect, onTestFinished }) => {
    const postgres = database === 'PostgreSQL' ? await startPostgres() : undefined;
    if (postgres !== undefined) onTestFinished(() => postgres.stop());
    const target = await startTarget({
      auth,
      ...(postgres === undefined ? {} : { databaseUrl: await postgres.createDatabase() }),
    });
    onTestFinished(() => target.close());
    const seen = await fuzz({ target, seed: SEED, seconds: SECONDS });
    expect(seen.failures).toBe('');
    expect(target.failures).toEqual([]);
    // It did something, however busy the machine: every operation, and creates that reached the sandbox.
    expect(seen.operations).toBeGreaterThan(140);
    expect(seen.cases).toBeGreaterThan(seen.operations);
    expect(await target.charged()).toBeGreaterThan(0);
  },
);
