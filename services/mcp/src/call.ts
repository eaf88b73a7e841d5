import type { Scope } from '@klingapi/identity';
import type { AuthInfo } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Call } from './api-client.ts';

/** What the HTTP door tells the tools about one request (`AuthInfo.extra`). */
const doorSchema = z.object({
  subject: z.string(),
  scopes: z.array(z.enum(['handshake', 'read', 'create'])),
  ended: z.instanceof(AbortSignal),
});

export interface Door {
  subject: string;
  scopes: readonly Scope[];
  /**
   * Aborted when the client's connection is gone, so that nobody can be told the result any more; or when the call
   * has taken too long, then with the error to tell.
   */
  ended: AbortSignal;
}

/** The shape the SDK hands through unread. The client's token is left out on purpose. */
export function authInfoOf(door: Door) {
  return { token: '', clientId: door.subject, scopes: [...door.scopes], extra: { ...door } };
}

/** What quick tools look at of the request that calls them; the SDK's context is one. */
export interface ToolContext {
  readonly mcpReq: { readonly signal: AbortSignal; readonly envelope?: unknown };
  readonly http?:
    | {
        readonly authInfo?: AuthInfo | undefined;
        readonly req?: { readonly headers: Pick<Headers, 'get'> } | undefined;
      }
    | undefined;
}

export function callOf({ http, mcpReq }: ToolContext): Call {
  const { ended, subject, scopes } = doorSchema.parse(http?.authInfo?.extra);
  return { subject, scopes, signal: mcpReq.signal === ended ? ended : AbortSignal.any([mcpReq.signal, ended]) };
}

/** For what is asked outside of a request of the protocol. */
export function shortCallOf(authInfo: AuthInfo | undefined, timeoutMs: number): Call {
  const { subject, scopes } = doorSchema.parse(authInfo?.extra);
  return { subject, scopes, signal: AbortSignal.timeout(timeoutMs) };
}
