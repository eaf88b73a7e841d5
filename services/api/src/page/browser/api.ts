import type { Problem } from '../../problem.ts';
import { askForKey, keyIsMissing, missKey, storedKey } from './key.ts';
import { words } from './words.ts';

/** What is told of a status that came without a word. */
const BARE: Readonly<Record<number, string>> = { 0: words.unreachable, 401: words.keyMissing };

/** A reply that is no success, or none at all (`unreachable`). */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;
  readonly problem: Problem | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, problem: Problem | undefined, retryAfterSeconds?: number) {
    super(problem?.detail ?? BARE[status] ?? `HTTP ${status}`);
    this.code = problem?.code ?? (status === 0 ? 'unreachable' : `http_${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What is known of a failure, for people: the plain words first, then what the service said. */
export function explain(error: unknown): string {
  if (!(error instanceof Refused)) return String(error);
  const plain = words.problems[error.code];
  const wait = error.retryAfterSeconds === undefined ? undefined : words.retryAfter(error.retryAfterSeconds);
  const said = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  return [plain, said, wait].filter((part) => part !== undefined).join(' ');
}

export interface Asked extends RequestInit {
  /** Of its own accord, `page` disturbs nobody with the question for a key. A person, unless told otherwise. */
  readonly by?: 'person' | 'page';
}

/**
 * A request with the caller's key; asks for one where the service wants it and
 * somebody is there who wants something.
 *
 * @throws Refused
 */
export async function request(path: string, { by = 'person', ...init }: Asked = {}): Promise<Response> {
  for (;;) {
    if (by === 'page' && keyIsMissing()) throw new Refused(401, undefined);
    const key = storedKey();
    const headers = new Headers(init.headers);
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    const reply = await fetch(path, { ...init, headers }).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new Refused(0, undefined);
    });
    if (reply.ok) return reply;
    if (reply.status === 401) {
      // Somebody may have given another one while this request was under way.
      if (storedKey() !== key) continue;
      if (by === 'page') missKey();
      else if (await askForKey()) continue;
    }
    const retryAfter = Number(reply.headers.get('retry-after') ?? Number.NaN);
    const problem: Problem | undefined = await reply.json().catch(() => undefined);
    throw new Refused(reply.status, problem, Number.isFinite(retryAfter) ? retryAfter : undefined);
  }
}

/** @param path of a route whose replies have this type */
export async function get<Reply>(path: string, asked: Asked = {}): Promise<Reply> {
  const reply = await request(path, asked);
  return await reply.json();
}

export async function post<Reply>(path: string, body: unknown, asked: Asked = {}): Promise<Reply> {
  const headers = new Headers(asked.headers);
  headers.set('content-type', 'application/json');
  const reply = await request(path, { ...asked, method: 'POST', headers, body: JSON.stringify(body) });
  return await reply.json();
}
