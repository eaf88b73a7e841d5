import type { FastifyRequest } from 'fastify';
import type { SigningKey } from './authorization.ts';
import type { Callbacks } from './callbacks.ts';
import type { Clock } from './clock.ts';
import type { Fault } from './faults/names.ts';
import type { ScriptBook } from './faults/script.ts';
import type { Library } from './library.ts';
import type { Packs } from './packs.ts';
import type { TaskBook } from './tasks/book.ts';

/** All that the rooms of the sandbox share. */
export interface World {
  readonly clock: Clock;
  readonly book: TaskBook;
  readonly packs: Packs;
  readonly library: Library;
  readonly scripts: ScriptBook;
  readonly callbacks: Callbacks;
  readonly signing: SigningKey | undefined;
  /** Calls of one account in a second; undefined: any number. */
  readonly rate: Rate | undefined;
  readonly costsRate: Rate;
  readonly fault: ((method: string, path: string) => Fault | undefined | Promise<Fault | undefined>) | undefined;
}

export interface Rate {
  /** Whether one more is allowed. */
  take(account: string): boolean;
}

/** Scheme and host that the client reached us by. */
export function baseOf(request: FastifyRequest): string {
  return `http://${request.headers.host ?? 'localhost'}`;
}
