import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { IdentityError } from './errors.ts';

/** Which of our workloads an assertion is for; one for `mcp` is worth nothing to `api`. */
export type Audience = 'mcp' | 'api';

/** `handshake`: only initialize, discover and list; `read` and `create`: tasks; `usage`: what all callers came to, and nothing else. */
export type Scope = 'handshake' | 'read' | 'create' | 'usage';

/** What a caller may use up; absent: any amount. */
export interface Limits {
  readonly createsPerMinute?: number | undefined;
  /** Units of resource packs, estimated before and real after a task, over the last 24 hours. */
  readonly unitsPerDay?: number | undefined;
}

export interface Identity {
  /** A caller's name, `anonymous`, or `system:…` for our own processes. */
  readonly subject: string;
  readonly scopes: readonly Scope[];
  readonly limits?: Limits | undefined;
  /** Whether it may see and change what belongs to the whole Kling account; never by an assertion. */
  readonly account?: boolean | undefined;
}

export interface Assertion extends Identity {
  readonly audience: Audience;
}

const TYP = 'klingapi+jwt';
const ISSUER = 'klingapi';
/** Short, because it is made for each call; there is nothing to revoke. */
const LIFETIME_SECONDS = 60;
/** Clocks of two nodes differ. */
const TOLERANCE_SECONDS = 10;
const KEY_BYTES = 32;

const claims = z.object({
  sub: z.string().min(1).max(256),
  scope: z.string().max(256),
  iat: z.number(),
  exp: z.number(),
});
const scopeName = z.enum(['handshake', 'read', 'create', 'usage']);

/**
 * Signs a statement "this call is made for `subject`", good for 60 seconds and
 * one audience.
 *
 * @param key content of the internal key file, at least 32 bytes as text
 * @param now milliseconds since the epoch
 * @throws IdentityError `key_too_short`
 */
export async function signAssertion(assertion: Assertion, key: string, now: number = Date.now()): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return await new SignJWT({ scope: assertion.scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: TYP })
    .setIssuer(ISSUER)
    .setAudience(assertion.audience)
    .setSubject(assertion.subject)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + LIFETIME_SECONDS)
    .sign(keyBytes(key));
}

/**
 * Checks signature, issuer, audience and times, and gives who calls.
 * Scopes that this version does not know are left out, never granted.
 *
 * @throws IdentityError with `code` `assertion_…`
 */
export async function verifyAssertion(
  token: string,
  options: { readonly audience: Audience; readonly key: string; readonly now?: number },
): Promise<Identity> {
  const secret = keyBytes(options.key);
  let payload: unknown;
  try {
    const verified = await jwtVerify(token, secret, {
      algorithms: ['HS256'],
      typ: TYP,
      issuer: ISSUER,
      audience: options.audience,
      clockTolerance: TOLERANCE_SECONDS,
      maxTokenAge: LIFETIME_SECONDS,
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: new Date(options.now ?? Date.now()),
    });
    payload = verified.payload;
  } catch (error) {
    throw refusal(error);
  }
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw new IdentityError('assertion_claims', 'the assertion lacks claims');
  const scopes = parsed.data.scope.split(' ').flatMap((name) => {
    const known = scopeName.safeParse(name);
    return known.success ? [known.data] : [];
  });
  return { subject: parsed.data.sub, scopes };
}

/** Whether a bearer token claims to be an assertion; it is then judged as nothing else. */
export function isAssertion(token: string): boolean {
  // Asked of every key, and most have no dot.
  if (!token.includes('.') || token.split('.').length !== 3) return false;
  try {
    return decodeProtectedHeader(token).typ === TYP;
  } catch {
    return false;
  }
}

function keyBytes(key: string): Uint8Array {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length < KEY_BYTES) {
    throw new IdentityError('key_too_short', `the internal key has ${bytes.length} bytes, ${KEY_BYTES} are needed`);
  }
  return bytes;
}

function refusal(error: unknown): IdentityError {
  const cause = { cause: error };
  if (error instanceof errors.JWTExpired) {
    return new IdentityError('assertion_expired', 'the assertion has expired', cause);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud'
      ? new IdentityError('assertion_audience', 'the assertion is for another audience', cause)
      : new IdentityError('assertion_claims', `the claim ${error.claim} of the assertion is wrong`, cause);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new IdentityError('assertion_signature', 'the signature of the assertion is wrong', cause);
  }
  return new IdentityError('assertion_malformed', 'the assertion cannot be read', cause);
}
