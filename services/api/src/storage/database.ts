import type { Kysely, KyselyConfig, RawBuilder } from 'kysely';
import type { Task } from '../tasks/task.ts';
import type { Tables } from './tables.ts';

export type Announce = (taskId: string, task?: Task) => void;

/** What differs between SQLite and PostgreSQL, for the queries that both share. */
export interface Database {
  readonly kysely: Kysely<Tables>;
  /**
   * Whether several processes write: rows that are claimed must then be locked,
   * and a process can be dead without a trace.
   */
  readonly shared: boolean;
  /** Now, in milliseconds, for leases: one clock for all who share the database. */
  readonly clock: RawBuilder<number>;
  /**
   * A transaction that is on disk when this resolves, power cut or not. Others outlast the process, which is enough
   * for what can be asked for again.
   */
  readonly durably: <T>(work: (trx: Kysely<Tables>) => Promise<T>) => Promise<T>;
  /** Tells those who listen in this process that a task has changed, and what it is now where that is known. */
  readonly announce: Announce;
  /** Calls back for each change, also of other processes where they exist. @returns stops it */
  readonly onChange: (listener: Announce) => () => void;
  readonly close: () => Promise<void>;
}

/** Told of each query that failed. */
export type OnFailure = (error: unknown) => void;

/** For the configuration of Kysely. */
export function logFailures(onFailure: OnFailure | undefined): Pick<KyselyConfig, 'log'> {
  if (onFailure === undefined) return {};
  return {
    log(event) {
      if (event.level === 'error') onFailure(event.error);
    },
  };
}

/** Who listens for changes in this process. */
export function createAnnouncer(): Pick<Database, 'announce' | 'onChange'> {
  const listeners = new Set<Announce>();
  return {
    announce(taskId, task) {
      for (const listener of listeners) listener(taskId, task);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
