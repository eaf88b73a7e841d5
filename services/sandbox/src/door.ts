import type { Kind } from '@klingapi/kling';
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { z } from 'zod';
import { type Answer, fail } from './answer.ts';
import { accountName, authorize } from './authorization.ts';
import { faultSchema, strikes } from './faults/names.ts';
import type { Seen, Struck } from './faults/script.ts';
import { instead, send } from './faults/send.ts';
import { baseOf, type World } from './world.ts';

/** A call that was let in. */
export interface Call {
  readonly request: FastifyRequest;
  readonly account: string;
  /** Strikes the task that the call makes. */
  readonly struck: Struck | undefined;
  readonly base: string;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly kind?: Kind;
  /** Takes API keys alone. */
  readonly keyOnly?: boolean;
  /** May cost money. */
  readonly creates?: boolean;
  readonly bodyLimit?: number;
}

/** What is known of a request when it has been answered, for who watches. */
export interface Told {
  account?: string;
  fault?: string;
  code?: number;
  taskId?: string;
}
const told = new WeakMap<FastifyRequest, Told>();
export const toldOf = (request: FastifyRequest): Told => told.get(request) ?? {};

const modelled = z.object({ model: z.string().optional() }).catch({});
const naming = z.looseObject({ model_name: z.string().optional().catch(undefined) }).catch({});

/** A route of the vendor's: who calls is known, and every fault that is asked for strikes. */
export function addRoute(
  app: FastifyInstance,
  world: World,
  route: Route,
  handle: (call: Call) => Answer | Promise<Answer>,
): void {
  const { method, path, kind, keyOnly = false, creates = false, bodyLimit } = route;

  const strike = async (request: FastifyRequest, account: string): Promise<Struck | undefined> => {
    const seen: Seen = {
      ...{ method, path: request.url.split('?', 1)[0] ?? path, kind, account, creates },
      model: modelled.parse(request.params).model ?? naming.parse(request.body).model_name,
    };
    const scripted = world.scripts.strike(seen);
    const asked =
      faultSchema.safeParse(request.headers['x-sandbox-fault']).data ??
      faultSchema.safeParse(/^fault-(.+)$/.exec(account)?.[1]).data;
    if (asked !== undefined) return { fault: asked, delayMs: delayOf(request) };
    if (scripted !== undefined) return scripted;
    const other = await world.fault?.(method, path);
    return other === undefined ? undefined : { fault: other, delayMs: undefined };
  };

  app.route({
    method: method satisfies HTTPMethods,
    url: path,
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const known: Told = {};
      told.set(request, known);
      const answerWith = (answer: Answer, struck?: Struck) => {
        known.code = answer.code;
        if (answer.taskId !== undefined) known.taskId = answer.taskId;
        return send(struck, answer, request, reply);
      };
      const account = await authorize(request.headers.authorization ?? '', keyOnly, world.signing);
      if (typeof account !== 'string') return answerWith(account);
      known.account = accountName(account);
      const all = await strike(request, account);
      const struck = creates || (all !== undefined && strikes(all.fault) === 'answer') ? all : undefined;
      if (struck !== undefined) known.fault = struck.fault;
      const early = await instead(struck, request, reply);
      if (early === 'sent') return reply;
      if (early !== undefined) return answerWith(early);
      if (world.rate?.take(account) === false) return answerWith(fail(1302));
      return answerWith(await handle({ request, account, struck, base: baseOf(request) }), struck);
    },
  });
}

function delayOf(request: FastifyRequest): number | undefined {
  return z.coerce.number().int().min(0).max(3_600_000).safeParse(request.headers['x-sandbox-delay-ms']).data;
}
