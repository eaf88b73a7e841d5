import { SignJWT } from 'jose';

/** An API key (all families), or an access and a secret key that sign tokens (legacy family only). */
export type Credentials = { readonly apiKey: string } | { readonly accessKey: string; readonly secretKey: string };

export interface TokenSource {
  /** The bearer token to send now. */
  token(): Promise<string>;
  /** Forgets a signed token that was refused for its times. */
  renew(): void;
}

const LIFETIME_SECONDS = 1800;
/** A token is signed anew when less than this is left of it. */
const RENEW_SECONDS = 60;

/** @param now milliseconds since the epoch */
export function createTokenSource(credentials: Credentials, now: () => number = Date.now): TokenSource {
  if ('apiKey' in credentials) {
    const { apiKey } = credentials;
    return { token: () => Promise.resolve(apiKey), renew: () => {} };
  }
  const { accessKey, secretKey } = credentials;
  const key = new TextEncoder().encode(secretKey);
  let current: { readonly token: Promise<string>; readonly expires: number } | undefined;
  return {
    token() {
      const seconds = Math.floor(now() / 1000);
      if (current === undefined || current.expires - seconds < RENEW_SECONDS) {
        const expires = seconds + LIFETIME_SECONDS;
        const token = new SignJWT()
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
          .setIssuer(accessKey)
          .setNotBefore(seconds - 5)
          .setExpirationTime(expires)
          .sign(key);
        current = { token, expires };
      }
      return current.token;
    },
    renew() {
      current = undefined;
    },
  };
}
