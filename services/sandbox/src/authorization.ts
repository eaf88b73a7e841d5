import { createHash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import { type Answer, fail } from './answer.ts';

/** The key that no sandbox takes. */
const BAD_KEY = 'bad-key';
const LOOKS_SIGNED = /^eyJ[^.]*\.[^.]+\.[^.]+$/;
/** The vendor tells of no leeway; so much a signer takes for itself. */
const LEEWAY_SECONDS = 5;

export interface SigningKey {
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * The account that a call is of: its bearer key, or the access key that signed its token.
 * Any key is good but one. A token is held to its times, and to the signing key where one is set.
 *
 * @param keyOnly the newer families take API keys alone, no signed tokens
 */
export async function authorize(
  header: string,
  keyOnly: boolean,
  signing: SigningKey | undefined,
): Promise<string | Answer> {
  if (header === '') return fail(1001);
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (token === undefined || token === BAD_KEY) return fail(1002);
  if (!LOOKS_SIGNED.test(token)) return token;
  if (keyOnly) return fail(1002, 'Authorization is invalid: access key and secret key are not supported here');
  try {
    const claims = signing === undefined ? heldToTimes(decodeJwt(token)) : await verified(token, signing);
    if (claims.iss === undefined) return fail(1002, 'Authorization is invalid: the token has no iss');
    return claims.iss;
  } catch (error) {
    if (error instanceof errors.JWTExpired) return fail(1004);
    if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf') return fail(1003);
    return fail(1002);
  }
}

async function verified(token: string, { accessKey, secretKey }: SigningKey): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, new TextEncoder().encode(secretKey), {
    ...{ issuer: accessKey, algorithms: ['HS256'], clockTolerance: LEEWAY_SECONDS, requiredClaims: ['exp'] },
  });
  return payload;
}

function heldToTimes(claims: JWTPayload): JWTPayload {
  const seconds = Date.now() / 1000;
  const { exp = Infinity, nbf = 0 } = claims;
  if (exp + LEEWAY_SECONDS < seconds) throw new errors.JWTExpired('expired', claims, 'exp');
  if (nbf - LEEWAY_SECONDS > seconds) throw new errors.JWTClaimValidationFailed('not yet', claims, 'nbf');
  return claims;
}

/** How an account is told of: whoever tries a real key here by mistake does not find it in logs and lists. */
export function accountName(account: string): string {
  if (account.length <= 24) return account;
  return `key ${createHash('sha256').update(account).digest('hex').slice(0, 8)}`;
}
