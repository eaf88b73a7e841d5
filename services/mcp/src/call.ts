import type { Scope } from '@klingapi/identity';
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Call } from './api-client.ts';

/** What the HTTP door tells the tools about one request (`AuthInfo.extra`). */
const doorSchema = z.object({
  subject: z.string(),
  scopes: z.array(z.enum(['handshake', 'read', 'create'])),
  ended: z.instanceof(AbortSignal),
  asks: z.object({ method: z.string(), name: z.string() }),
});

export interface Door {
  subject: string;
  scopes: readonly Scope[];
  /**
   * Aborted when the client's connection is gone, so that nobody can be told the result any more; or when the call
   * has taken too long, then with the error to tell.
   */
  ended: AbortSignal;
  /** Empty where the message has no single method, or no name of a tool or prompt. */
  asks: Asks;
}

export interface Asks {
  readonly method: string;
  readonly name: string;
}

/** The shape the SDK hands through unread. The client's token is left out on purpose. */
export function authInfoOf(door: Door) {
  return { token: '', clientId: door.subject, scopes: [...door.scopes], extra: { ...door } };
}

export function callOf(ctx: ServerContext): Call {
  const { ended, subject, scopes } = doorSchema.parse(ctx.http?.authInfo?.extra);
  return { subject, scopes, signal: AbortSignal.any([ctx.mcpReq.signal, ended]) };
}

/** What the one request asks for that a server is made for; undefined where nobody said. */
export function asksOf(authInfo: AuthInfo | undefined): Asks | undefined {
  return doorSchema.safeParse(authInfo?.extra).data?.asks;
}

/** For what is asked outside of a request of the protocol. */
export function shortCallOf(authInfo: AuthInfo | undefined, timeoutMs: number): Call {
  const { subject, scopes } = doorSchema.parse(authInfo?.extra);
  return { subject, scopes, signal: AbortSignal.timeout(timeoutMs) };
}
