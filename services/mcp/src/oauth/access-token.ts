import { createHash } from 'node:crypto';
import { type Identity, IdentityError, type Refusal } from '@klingapi/identity';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { type IssuerKeys, IssuerUnavailable, type KeySet } from './issuer-keys.ts';
import { mapScopes } from './scopes.ts';

/** Asymmetric alone: a shared key would make every holder an issuer, and `none` everybody. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** RFC 9068 says `at+jwt`; many issuers say `JWT` or nothing. Other types (logout, DPoP proof) are no access tokens. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt', '']);
/** Seconds by which the issuer's clock and ours may differ. */
const TOLERANCE_SECONDS = 30;
/** An assertion takes 256 characters; what is longer goes by its hash. */
const SUBJECT_LIMIT = 200;

const scopeClaims = z.object({
  sub: z.string().min(1),
  scope: z.string().optional().catch(undefined),
  // Two large vendors' spelling, as a list or as words.
  scp: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
  cnf: z.unknown().optional(),
});

export interface AccessTokenOptions {
  issuer: string;
  /** `aud` of tokens that are meant for this service. */
  audience: string;
  scopes: readonly string[];
  keys: IssuerKeys;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * Judges access tokens: signed by the issuer, for this service, now. Never throws
 * for what a caller sends; a refusal says `issuer_unavailable` when that is not the
 * token's fault.
 */
export function createAccessTokenJudge(options: AccessTokenOptions): (token: string) => Promise<Identity | Refusal> {
  return async (token) => {
    try {
      precheck(token, options);
      return identityOf(await verified(token, options), options.scopes);
    } catch (error) {
      if (error instanceof IssuerUnavailable) {
        return { error: new IdentityError('issuer_unavailable', error.message, { cause: error }) };
      }
      if (error instanceof IdentityError) return { error };
      if (error instanceof errors.JOSEError) return { error: refusal(error) };
      throw error;
    }
  };
}

/** What can be seen without keys: a token that fails here never makes us ask the issuer for any. */
function precheck(token: string, { issuer, now }: AccessTokenOptions): void {
  const header = read(() => decodeProtectedHeader(token));
  const claims = read(() => decodeJwt(token));
  if (!ALGORITHMS.includes(header.alg ?? '')) throw invalid('the access token is not signed by an accepted algorithm');
  if (!TYPES.has((header.typ ?? '').toLowerCase())) throw invalid('this kind of token is no access token');
  if (claims.iss !== issuer) throw invalid('the access token is of another issuer');
  if (typeof claims.exp !== 'number' || claims.exp + TOLERANCE_SECONDS <= now() / 1000) {
    throw invalid('the access token has expired');
  }
}

function read<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw invalid('the access token is not a signed JWT', error);
  }
}

async function verified(token: string, options: AccessTokenOptions): Promise<JWTPayload> {
  const keys = await options.keys.current();
  try {
    return await verifyWith(keys, token, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    // The issuer may have changed its keys since.
    const newer = await options.keys.newerThan(keys);
    if (newer === null) throw error;
    return await verifyWith(newer, token, options);
  }
}

async function verifyWith(keys: KeySet, token: string, options: AccessTokenOptions): Promise<JWTPayload> {
  const rules = {
    algorithms: ALGORITHMS,
    issuer: options.issuer,
    audience: options.audience,
    clockTolerance: TOLERANCE_SECONDS,
    requiredClaims: ['exp', 'sub'],
    currentDate: new Date(options.now()),
  };
  try {
    return (await jwtVerify(token, keys, rules)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // The token names no key and several fit: any of them may have signed it.
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, rules)).payload;
      } catch (again) {
        if (!(again instanceof errors.JWSSignatureVerificationFailed)) throw again;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function identityOf(payload: JWTPayload, accepted: readonly string[]): Identity {
  const claims = scopeClaims.safeParse(payload);
  if (!claims.success) throw invalid('the access token names no subject');
  // Bound to a key or a certificate that is not checked here: as a plain bearer token it may be stolen.
  if (claims.data.cnf !== undefined) throw invalid('tokens that are bound to a key are not supported');
  const { sub, scope = '', scp = [] } = claims.data;
  const held = [...scope.split(' '), ...(typeof scp === 'string' ? scp.split(' ') : scp)];
  return { subject: `oauth:${bounded(sub)}`, scopes: mapScopes(held, accepted) };
}

/** Printable and short, as everything that stands in logs and databases; still one name for one subject. */
function bounded(sub: string): string {
  if (sub.length <= SUBJECT_LIMIT && /^[\x21-\x7e]+$/.test(sub) && !sub.startsWith('sha256:')) return sub;
  return `sha256:${createHash('sha256').update(sub).digest('hex')}`;
}

function refusal(error: errors.JOSEError): IdentityError {
  if (error instanceof errors.JWTExpired) return invalid('the access token has expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return invalid('the access token is for another service', error);
    if (error.claim === 'nbf') return invalid('the access token is not valid yet', error);
    return invalid(`the claim ${error.claim} of the access token is wrong`, error);
  }
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('the issuer has no such key', error);
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return invalid('the signature of the access token is wrong', error);
  }
  return invalid('the access token cannot be verified', error);
}

function invalid(message: string, cause?: unknown): IdentityError {
  return new IdentityError('token_invalid', message, { cause });
}
