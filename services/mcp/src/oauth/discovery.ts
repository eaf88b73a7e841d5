import { z } from 'zod';
import type { JsonFetcher } from './fetch-json.ts';

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * Where an issuer's metadata may be, in the order in which MCP clients look: RFC 8414
 * and OpenID Connect with the path inserted, then OpenID Connect with it in front.
 */
export function metadataAddresses(issuer: string): URL[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const found = [
    `/.well-known/oauth-authorization-server${path}`,
    `/.well-known/openid-configuration${path}`,
    `${path}/.well-known/openid-configuration`,
  ];
  return [...new Set(found)].map((address) => new URL(address, origin));
}

/**
 * The address of the issuer's keys, by its metadata. Metadata that name another
 * issuer are not used (RFC 8414, 3.3): they could be somebody else's.
 * @throws Error in words
 */
export async function discoverKeyAddress(issuer: string, fetcher: JsonFetcher): Promise<URL> {
  let trouble = new Error('the issuer publishes no metadata');
  for (const address of metadataAddresses(issuer)) {
    try {
      const body = await fetcher.get(address);
      if (body === null) continue;
      const metadata = metadataSchema.parse(body);
      if (metadata.issuer === issuer) return new URL(metadata.jwks_uri);
      trouble = new Error(`the metadata name the issuer ${metadata.issuer.slice(0, 200)}`);
    } catch (error) {
      trouble = error instanceof z.ZodError ? new Error('the metadata lack issuer or jwks_uri') : toError(error);
    }
  }
  throw trouble;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the issuer could not be asked');
}
