import { randomUUID } from 'node:crypto';
import { KlingError, OPERATIONS, type Operation, type OperationName, operationPrice } from '@klingapi/kling';
import type { FastifyRequest } from 'fastify';
import { limitsOf, subjectOf } from '../access.ts';
import type { Context } from '../context.ts';
import { ownProblem } from '../problem.ts';
import { limitProblem } from '../tasks/creation.ts';
import { withMedia } from '../uploads/references.ts';
import { requireOwner } from './operation-owner.ts';

/**
 * A call that makes no task; gives Kling's answer as it came. One that costs is
 * noted, and counts against the caller's limits, before it is made. It is sent
 * once: Kling has nothing to look it up by, so an unknown outcome counts as paid.
 *
 * @throws ProblemError, KlingError
 */
export async function makeCall(context: Context, request: FastifyRequest, name: OperationName): Promise<unknown> {
  const operation: Operation = OPERATIONS[name];
  const { method, schema } = operation;
  if (context.draining()) throw ownProblem('draining', 'send the request again', { retryAfterSeconds: 1 });
  const given = schema.parse(method === 'GET' ? request.query : request.body);
  await requireOwner(context, request, operation, given);
  return await withMedia(context, request, given, (body) => send(context, request, name, body));
}

type Body = Readonly<Record<string, unknown>>;

async function send(context: Context, request: FastifyRequest, name: OperationName, body: Body): Promise<unknown> {
  const { store, client, metrics, now } = context;
  const price = operationPrice(name);
  if (price === undefined) return await client.call(name, body);

  const { units, pack } = price;
  const id = randomUUID();
  const added = await store.addCall({
    ...{ id, subject: subjectOf(request), operation: name, createdAt: now(), estimate: units },
    limits: limitsOf(request),
  });
  if (added.outcome === 'over-limit') throw limitProblem(added, units);
  metrics.onEstimated(pack, units);
  const end = async (outcome: 'succeeded' | 'failed' | 'unknown', taken: number): Promise<void> => {
    if (taken > 0) metrics.onCharged(pack, taken);
    await store.endCall(id, outcome, taken).catch((error: unknown) => {
      // It goes on counting as it was noted; the caller is owed the answer that was paid for.
      request.log.error({ operation: name, err: error, request: request.id }, 'outcome of a call not noted');
    });
  };
  try {
    const data = await client.call(name, body);
    await end('succeeded', units);
    return data;
  } catch (error) {
    const isUnknown = !(error instanceof KlingError) || error.outcomeUnknown;
    await end(isUnknown ? 'unknown' : 'failed', isUnknown ? units : 0);
    throw error;
  }
}
