import type { Operation } from '@klingapi/kling';
import type { FastifyRequest } from 'fastify';
import { mayUseAccount, requireAccount, subjectOf } from '../access.ts';
import type { Context } from '../context.ts';
import { ownProblem } from '../problem.ts';

/**
 * Elements and voices lie in the one Kling account that all callers share. A caller
 * deletes those that it made; whoever has the scope account, every one.
 *
 * @throws ProblemError; the same for what is another caller's, what was made elsewhere, and what there is not
 */
export async function requireOwner(
  { store }: Context,
  request: FastifyRequest,
  { wholeAccount, deletes }: Operation,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (wholeAccount === true) requireAccount(request);
  if (deletes === undefined || mayUseAccount(request)) return;
  if (await store.made(subjectOf(request), deletes, String(body[deletes]))) return;
  throw ownProblem(
    'scope_missing',
    `no task of this caller made this ${deletes}; to delete it takes the scope account in the file of the caller`,
  );
}
