import { hash, timingSafeEqual } from 'node:crypto';
import { type Audience, type Identity, isAssertion, verifyAssertion } from './assertion.ts';
import { watchCallers } from './callers.ts';
import { IdentityError } from './errors.ts';

export interface AuthenticatorOptions {
  /**
   * `callers`: only those listed (and our own assertions); `oauth`: whoever `judgeToken` knows (and our own
   * assertions); `none`: everybody, as `anonymous`.
   */
  readonly auth: 'callers' | 'oauth' | 'none';
  readonly callersDir?: string | undefined;
  /** Needed for `oauth`: judges a token that is none of ours. */
  readonly judgeToken?: ((token: string) => Promise<Identity | Refusal>) | undefined;
  /** Content of the internal key file; without it assertions are refused. */
  readonly internalKey?: string | undefined;
  readonly audience: Audience;
  /** Tokens of this process alone, for example the one of its own handshake. */
  readonly extraTokens?: ReadonlyMap<string, Identity>;
  readonly onError?: (message: string) => void;
  /** Milliseconds between looks at the callers folder. */
  readonly intervalMs?: number;
  readonly clock?: () => number;
}

export interface Refusal {
  readonly error: IdentityError;
}

type Judged = Identity | Refusal;

/** From the value of an Authorization header to who calls, or why not; at once where nothing has to be waited for. Never throws for what a caller sends. */
export type Authenticator = ((authorization: string | undefined) => Judged | Promise<Judged>) & {
  /** Stops looking at the callers folder. */
  close(): void;
};

export function isRefusal(judged: Identity | Refusal): judged is Refusal {
  return 'error' in judged;
}

const ANYBODY = { subject: 'anonymous', scopes: ['read', 'create'], account: true } as const;

/**
 * Order: this process's own tokens, assertions (a token that claims to be one is
 * judged as nothing else), callers or access tokens. `none` opens the door to callers without
 * credentials, but a broken assertion is still refused.
 *
 * @throws Error when `auth` is `callers` without a folder, or the internal key is too short
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { auth, callersDir, internalKey } = options;
  if (auth === 'callers' && callersDir === undefined) {
    throw new Error('authentication by callers needs the folder of callers');
  }
  const judgeToken = auth === 'oauth' ? options.judgeToken : undefined;
  if (auth === 'oauth' && judgeToken === undefined) throw new Error('authentication by OAuth needs a judge of tokens');
  if (internalKey !== undefined && Buffer.byteLength(internalKey) < 32) {
    throw new IdentityError('key_too_short', 'the internal key needs at least 32 bytes');
  }
  const callers =
    auth === 'callers' && callersDir !== undefined
      ? watchCallers(callersDir, {
          ...(options.onError === undefined ? {} : { onError: options.onError }),
          ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
        })
      : undefined;
  const extra = [...(options.extraTokens ?? [])].map(([token, identity]) => ({ digest: sha256(token), identity }));
  const clock = options.clock ?? Date.now;

  const judgeOwn = async (token: string): Promise<Judged> => {
    const judged = await judgeAssertion(token, options.audience, internalKey, clock());
    // Who speaks for a caller is held to the limits of that caller.
    const limits = isRefusal(judged) ? undefined : callers?.limitsOf(judged.subject);
    return limits === undefined ? judged : { ...judged, limits };
  };

  const judge = (authorization: string | undefined): Judged | Promise<Judged> => {
    const token = bearerToken(authorization);
    if (token !== undefined) {
      const digest = extra.length === 0 ? undefined : sha256(token);
      const own = digest && extra.find((known) => timingSafeEqual(known.digest, digest));
      if (own !== undefined) return own.identity;
      if (isAssertion(token)) return judgeOwn(token);
    }
    if (judgeToken !== undefined) {
      if (token === undefined)
        return refuse('credentials_missing', 'an Authorization header with an access token is needed');
      return judgeToken(token);
    }
    if (callers === undefined) return ANYBODY;
    if (token === undefined)
      return refuse('credentials_missing', 'an Authorization header with a bearer key is needed');
    const caller = callers.authenticate(token);
    if (caller === undefined) return refuse('credentials_unknown', 'the bearer key is not that of a known caller');
    return caller;
  };
  return Object.assign(judge, { close: () => callers?.close() });
}

async function judgeAssertion(
  token: string,
  audience: Audience,
  key: string | undefined,
  now: number,
): Promise<Identity | Refusal> {
  if (key === undefined) return refuse('assertion_signature', 'this process takes no assertions');
  try {
    return await verifyAssertion(token, { audience, key, now });
  } catch (error) {
    if (error instanceof IdentityError) return { error };
    throw error;
  }
}

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !/^Bearer +\S+ *$/i.test(authorization)) return undefined;
  const token = authorization.slice('Bearer '.length).trim();
  // No key is longer; hashing megabytes for a stranger is work for nothing.
  return token.length <= 8192 ? token : undefined;
}

function refuse(code: IdentityError['code'], message: string): Refusal {
  return { error: new IdentityError(code, message) };
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
