import { randomUUID } from 'node:crypto';
import { KINDS, type Kind } from '@klingapi/kling';
import { z } from 'zod';
import { type Fault, faultSchema, strikes } from './names.ts';

/** A fault that was asked for, with how long it holds up what it delays. */
export interface Struck {
  readonly fault: Fault;
  readonly delayMs: number | undefined;
}

/** What a call looks like to a script. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly kind: Kind | undefined;
  readonly model: string | undefined;
  readonly account: string;
  /** Whether it may cost money: other calls have no `create`, `task`, `result` and `callback` faults. */
  readonly creates: boolean;
}

/** What `POST /sandbox/faults` takes. */
export const scriptSchema = z.strictObject({
  match: z
    .strictObject({
      method: z.enum(['GET', 'POST']).optional(),
      /** As it comes in; a `*` at its end stands for any rest. */
      path: z.string().startsWith('/', 'must start with a slash').max(200).optional(),
      kind: z.enum(KINDS).optional(),
      model: z.string().min(1).max(64).optional(),
      /** The bearer key. */
      account: z.string().min(1).max(2048).optional(),
    })
    .default({}),
  fault: faultSchema,
  /** How often it strikes; absent: until it is deleted. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Matching calls that go well before. */
  afterRequests: z.int().min(0).max(1_000_000).default(0),
  /** Of each matching call; by `seed` the same calls are struck each time. */
  probability: z.number().gt(0, 'must be more than 0').max(1, 'must be 1 at most').default(1),
  seed: z.int().min(0).max(0xffffffff).default(1),
  delayMs: z.int().min(0).max(3_600_000, 'must be an hour (3600000) at most').optional(),
});
export type Script = z.infer<typeof scriptSchema>;

export interface ScriptState extends Script {
  readonly id: string;
  readonly seen: number;
  readonly struck: number;
}

export interface ScriptBook {
  /** Undefined when there are as many as may be. */
  add(script: Script): ScriptState | undefined;
  list(): ScriptState[];
  delete(id: string): boolean;
  clear(): void;
  /** The fault of the oldest script that strikes; every script that matches counts the call. */
  strike(seen: Seen): Struck | undefined;
}

export const MOST_SCRIPTS = 1000;

export function createScriptBook(): ScriptBook {
  const scripts = new Map<
    string,
    { readonly script: Script; seen: number; struck: number; readonly dice: () => number }
  >();
  const told = (id: string): ScriptState[] => {
    const entry = scripts.get(id);
    return entry === undefined ? [] : [{ id, ...entry.script, seen: entry.seen, struck: entry.struck }];
  };

  return {
    add(script) {
      if (scripts.size >= MOST_SCRIPTS) return undefined;
      const id = randomUUID();
      scripts.set(id, { script, seen: 0, struck: 0, dice: dice(script.seed) });
      return told(id)[0];
    },
    list: () => [...scripts.keys()].flatMap(told),
    delete: (id) => scripts.delete(id),
    clear: () => scripts.clear(),
    strike(seen) {
      let first: Struck | undefined;
      for (const entry of scripts.values()) {
        const { script } = entry;
        if (!matches(script, seen)) continue;
        entry.seen += 1;
        // Thrown for each call, so that what one script does never changes another.
        const thrown = entry.dice();
        const isOver = script.times !== undefined && entry.struck >= script.times;
        if (isOver || entry.seen <= script.afterRequests || thrown >= script.probability || first !== undefined)
          continue;
        entry.struck += 1;
        first = { fault: script.fault, delayMs: script.delayMs };
      }
      return first;
    },
  };
}

function matches({ match, fault }: Script, seen: Seen): boolean {
  if (!seen.creates && strikes(fault) !== 'answer') return false;
  const { path } = match;
  if (path !== undefined && !(path.endsWith('*') ? seen.path.startsWith(path.slice(0, -1)) : seen.path === path)) {
    return false;
  }
  const same = <T>(wanted: T | undefined, is: T | undefined) => wanted === undefined || wanted === is;
  return (
    same<string>(match.method, seen.method) &&
    same(match.kind, seen.kind) &&
    same(match.model, seen.model) &&
    same(match.account, seen.account)
  );
}

/** Numbers 0 ≤ x < 1, the same for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
