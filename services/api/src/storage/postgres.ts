import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Client, Pool, type PoolConfig, types } from 'pg';
import { type Announce, createAnnouncer, type Database, logFailures, type OnFailure } from './database.ts';
import { CHANNEL, migrate } from './migrations.ts';
import type { Tables } from './tables.ts';

const OLDEST_VERSION = 150_000;
const INT8 = 20;

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=verify-full`. */
  readonly url: string;
  /** Told of connections that broke; the words hold no password. */
  readonly onError: (problem: string) => void;
  /** Told of each query that failed, or found no connection. */
  readonly onFailure?: OnFailure | undefined;
  /** Connections of this process, the one that listens not counted. */
  readonly connections?: number;
}

/**
 * A PostgreSQL database (15 or newer) that several replicas share.
 *
 * @throws Error when it cannot be reached, is too old, or is of a newer program
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const config: PoolConfig = {
    connectionString: options.url,
    application_name: 'klingapi',
    max: options.connections ?? 10,
    connectionTimeoutMillis: 10_000,
    // A statement that hangs would hold a connection and its locks for ever.
    statement_timeout: 30_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    // Milliseconds since the epoch and counts fit into a number.
    types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)) },
  };
  const pool = new Pool(config);
  // Without a listener a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onError(error.message));
  // One that breaks between two queries of a transaction is nobody's; its next query is refused, and that is told.
  pool.on('connect', (client) => client.on('error', () => {}));
  const { onFailure } = options;
  // What finds no connection is no query yet, so Kysely does not tell of it.
  const told = {
    options: {},
    end: () => pool.end(),
    connect: () =>
      pool.connect().catch((error: unknown) => {
        onFailure?.(error);
        throw error;
      }),
  };
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: told }), ...logFailures(onFailure) });
  try {
    const version = await sql<{ version: number }>`SELECT current_setting('server_version_num')::bigint AS version`
      .execute(kysely)
      .then(({ rows }) => rows[0]?.version ?? 0);
    if (version < OLDEST_VERSION) throw new Error('PostgreSQL 15 or newer is needed');
    await migrate(kysely, 'postgres');
  } catch (error) {
    await kysely.destroy();
    throw error;
  }
  const announcer = createAnnouncer();
  const listening = listen(config, announcer.announce, options.onError);
  return {
    ...announcer,
    kysely,
    shared: true,
    durably: (work) => kysely.transaction().execute(work),
    clock: sql<number>`(extract(epoch FROM clock_timestamp()) * 1000)::bigint`,
    async close() {
      await listening.stop();
      await kysely.destroy();
    },
  };
}

const LISTEN_AGAIN_MS = 1000;

/**
 * Hears of changes that other replicas make. What is said while the connection
 * is broken is lost, so whoever waits also looks from time to time.
 */
function listen(config: PoolConfig, announce: Announce, onError: (problem: string) => void): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const { signal } = stopped;
  const session = async (): Promise<void> => {
    const client = new Client({ ...config, statement_timeout: 0 });
    const broken = new Promise<void>((resolve) => {
      client.on('error', (error) => {
        onError(error.message);
        resolve();
      });
      client.once('end', resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on('notification', ({ payload }) => {
        if (payload !== undefined) announce(payload);
      });
      await client.query(`LISTEN ${CHANNEL}`);
      await broken;
    } finally {
      await client.end().catch(() => {});
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await session().catch((error: unknown) => onError(error instanceof Error ? error.message : String(error)));
      if (!signal.aborted) await sleep(LISTEN_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
