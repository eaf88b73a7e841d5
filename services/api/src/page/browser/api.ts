import type { Problem } from '../../problem.ts';
import { askForKey, storedKey } from './key.ts';
import { words } from './words.ts';

/** A reply that is no success, or none at all (`unreachable`). */
export class Refused extends Error {
  readonly code: string;
  readonly status: number;
  readonly problem: Problem | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, problem: Problem | undefined, retryAfterSeconds?: number) {
    super(problem?.detail ?? (status === 0 ? words.unreachable : `HTTP ${status}`));
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

/**
 * A request with the caller's key; asks for one where the service wants it.
 *
 * @throws Refused
 */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const key = storedKey();
    const headers = new Headers(init.headers);
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    const reply = await fetch(path, { ...init, headers }).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new Refused(0, undefined);
    });
    if (reply.ok) return reply;
    // Somebody may have given another one while this request was under way.
    if (reply.status === 401 && (storedKey() !== key || (await askForKey()))) continue;
    const retryAfter = Number(reply.headers.get('retry-after') ?? Number.NaN);
    const problem: Problem | undefined = await reply.json().catch(() => undefined);
    throw new Refused(reply.status, problem, Number.isFinite(retryAfter) ? retryAfter : undefined);
  }
}

/** @param path of a route whose replies have this type */
export async function get<Reply>(path: string, signal?: AbortSignal): Promise<Reply> {
  const reply = await request(path, signal === undefined ? {} : { signal });
  return await reply.json();
}

export async function post<Reply>(
  path: string,
  body: unknown,
  more: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Reply> {
  const headers = { 'content-type': 'application/json', ...more.headers };
  const { signal } = more;
  const reply = await request(path, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
    ...(signal === undefined ? {} : { signal }),
  });
  return await reply.json();
}
