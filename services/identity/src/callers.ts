import { hash, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Identity, Limits } from './assertion.ts';

export interface WatchOptions {
  /** Told about an unreadable folder or file; once a change, not once a poll. Messages hold names, never contents. */
  readonly onError?: (message: string) => void;
  /** Milliseconds between looks at the folder. */
  readonly intervalMs?: number;
}

export interface Callers {
  /** The caller whose key this is. Takes the same time whichever caller matches. */
  authenticate(bearer: string): Identity | undefined;
  /** Of a caller by name, for who speaks for it. */
  limitsOf(name: string): Limits | undefined;
  names(): string[];
  close(): void;
}

interface Caller {
  readonly digest: Buffer;
  readonly identity: Identity;
}

const SCOPES = ['read', 'create', 'account'] as const;
/** What belongs to the whole Kling account (its costs, what others made) has to be given by name. */
const USUAL: readonly (typeof SCOPES)[number][] = ['read', 'create'];
/** The long form of a caller's file; anything that does not begin with `{` is the key alone. */
const callerFile = z.strictObject({
  key: z.string().trim().min(1),
  scopes: z.array(z.enum(SCOPES)).default([...USUAL]),
  limits: z
    .strictObject({
      createsPerMinute: z.int().min(1).optional(),
      unitsPerDay: z.number().positive().optional(),
    })
    .optional(),
});

const HASHED = /^sha256:([0-9a-f]{64})$/i;

/**
 * Keeps the list of callers from a mounted folder: one file a caller, its name
 * the caller's, its content the key or `sha256:` and the hash of the key, or JSON
 * with one of them as `key`, and `scopes` and `limits`.
 *
 * Polls, because a kubelet updates a mounted Secret by swapping the symlink
 * `..data`, which file watchers miss or report as a removal. What cannot be
 * read admits nobody: an empty or missing folder refuses everybody.
 */
export function watchCallers(dir: string, options: WatchOptions = {}): Callers {
  let callers: readonly Caller[] = [];
  /** Keys that were right since the last look at the folder: a client sends the same one with every request. */
  const right = new Map<string, Identity>();
  let lastTrouble = '';

  const load = (): void => {
    const trouble: string[] = [];
    callers = readCallers(dir, trouble);
    right.clear();
    const told = trouble.join('; ');
    if (told !== '' && told !== lastTrouble) options.onError?.(told);
    lastTrouble = told;
  };
  load();
  const timer = setInterval(load, options.intervalMs ?? 2000);
  // The list alone must not keep a process alive.
  timer.unref();

  return {
    authenticate(bearer) {
      const remembered = right.get(bearer);
      if (remembered !== undefined) return remembered;
      const digest = sha256(bearer);
      let found: Identity | undefined;
      for (const caller of callers) {
        if (timingSafeEqual(caller.digest, digest)) found ??= caller.identity;
      }
      // A key is held by one caller; more entries than callers there are never.
      if (found !== undefined) right.set(bearer, found);
      return found;
    },
    limitsOf: (name) => callers.find(({ identity }) => identity.subject === name)?.identity.limits,
    names: () => callers.map(({ identity }) => identity.subject),
    close: () => clearInterval(timer),
  };
}

function readCallers(dir: string, trouble: string[]): Caller[] {
  let names: string[];
  try {
    names = readdirSync(dir).filter((name) => !name.startsWith('..'));
  } catch {
    trouble.push(`the callers folder ${dir} cannot be read`);
    return [];
  }
  const callers: Caller[] = [];
  for (const name of names.sort()) {
    const path = join(dir, name);
    try {
      if (!statSync(path).isFile()) continue;
      const caller = parseCaller(readFileSync(path, 'utf8').trim());
      if (caller === undefined) {
        trouble.push(`the caller ${name} has settings that cannot be read`);
        continue;
      }
      const { key: content, scopes, limits } = caller;
      const hash = HASHED.exec(content)?.[1];
      if (content === '') trouble.push(`the caller ${name} has an empty key`);
      else if (hash === undefined && content.startsWith('sha256:'))
        trouble.push(`the caller ${name} has a broken hash`);
      // A caller must not be able to speak as one of our own processes, or as somebody from an issuer.
      else if (/^(system|oauth):/.test(name)) trouble.push(`the caller name ${name} is reserved`);
      else {
        callers.push({
          digest: hash === undefined ? sha256(content) : Buffer.from(hash, 'hex'),
          identity: {
            subject: name,
            scopes: scopes.filter((scope) => scope !== 'account'),
            account: scopes.includes('account'),
            limits,
          },
        });
      }
    } catch {
      trouble.push(`the caller ${name} cannot be read`);
    }
  }
  if (names.length === 0) trouble.push(`the callers folder ${dir} is empty`);
  return callers;
}

/** @returns undefined for JSON that is none, or has fields that nobody would heed */
function parseCaller(content: string): z.output<typeof callerFile> | undefined {
  if (!content.startsWith('{')) return { key: content, scopes: [...USUAL] };
  try {
    return callerFile.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined;
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
