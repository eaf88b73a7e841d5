import {
  type Authenticator,
  type Identity,
  isRefusal,
  type Limits,
  type Refusal,
  type Scope,
} from '@klingapi/identity';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { ownProblem, type ProblemError } from './problem.ts';
import type { TaskTable } from './storage/store.ts';
import type { Task } from './tasks/task.ts';

/** A property and not a WeakMap, which costs more than all else of a check. */
const CALLER = Symbol('caller');
declare module 'fastify' {
  interface FastifyRequest {
    [CALLER]: Identity | undefined;
  }
}

/** To be called before routes are added. */
export function rememberCallers(app: FastifyInstance): void {
  app.decorateRequest(CALLER, undefined);
}

/** Lets only known callers with the scope through; before the body is read. */
export function requireScope(authenticate: Authenticator, scope: Scope) {
  return admitting(authenticate, ({ scopes }) =>
    scopes.includes(scope) ? undefined : ownProblem('scope_missing', `the scope ${scope} is needed`),
  );
}

/** For what all callers came to: those with the scope `account`, and an assertion that says `usage`. */
export function requireUsageOfAll(authenticate: Authenticator) {
  return admitting(authenticate, ({ scopes, account }) =>
    account === true || scopes.includes('usage') ? undefined : accountMissing(),
  );
}

function admitting(authenticate: Authenticator, objection: (caller: Identity) => ProblemError | undefined) {
  const admit = (request: FastifyRequest, judged: Identity | Refusal): ProblemError | undefined => {
    if (isRefusal(judged)) {
      request.log.info({ reason: judged.error.code, request: request.id }, 'caller refused');
      return ownProblem('unauthenticated', judged.error.message);
    }
    const refused = objection(judged);
    if (refused === undefined) request[CALLER] = judged;
    return refused;
  };
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const judged = authenticate(request.headers.authorization);
    if (judged instanceof Promise) judged.then((late) => done(admit(request, late)), done);
    else done(admit(request, judged));
  };
}

/** Who calls; only in routes behind {@link requireScope}. */
export function subjectOf(request: FastifyRequest): string {
  const identity = request[CALLER];
  if (identity === undefined) throw new Error('the route has no access rule');
  return identity.subject;
}

/** What the caller may use up. */
export function limitsOf(request: FastifyRequest): Limits | undefined {
  return request[CALLER]?.limits;
}

export function mayUseAccount(request: FastifyRequest): boolean {
  return request[CALLER]?.account === true;
}

/** @throws ProblemError for a caller who may not see or change what belongs to the whole Kling account */
export function requireAccount(request: FastifyRequest): void {
  if (!mayUseAccount(request)) throw accountMissing();
}

function accountMissing(): ProblemError {
  return ownProblem(
    'scope_missing',
    'the scope account is needed; the file of the caller has to name it in its scopes',
  );
}

/** A task of the caller. Another caller's task is told as if it did not exist. */
export async function ownTask(store: TaskTable, request: FastifyRequest, id: string): Promise<Task> {
  const task = await store.find(id);
  if (task === undefined || task.subject !== subjectOf(request)) {
    throw notFound(id);
  }
  return task;
}

export function notFound(id: string): ProblemError {
  return ownProblem('task_not_found', `there is no task ${id.slice(0, 64)}`);
}

/** Bearer keys as OpenAPI tells them, for the schema of each guarded route. */
export const bearer = [{ bearer: [] }];

/** Headers of every reply. */
export function addReplyHeaders(app: FastifyInstance, draining: () => boolean): void {
  // Hooks of every request call back: a promise for each would cost as much as they do.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // Replies are about one caller; no cache between may keep them.
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    void reply.header('x-content-type-options', 'nosniff');
    // A client that keeps the connection would hold up the end of this process, or lose its next request.
    if (draining()) void reply.header('connection', 'close');
    done();
  });
}
