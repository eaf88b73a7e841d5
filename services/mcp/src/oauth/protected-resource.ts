import type { IdentityError, Scope } from '@klingapi/identity';
import { scopesNeeded } from './scopes.ts';

export interface ResourceOptions {
  /** Where clients reach this service, with or without the path of the endpoint. */
  publicUrl: string;
  /** Path of the MCP endpoint. */
  path: string;
  issuer: string;
  scopes: readonly string[];
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** What tells clients where to get a token for this service, and which (RFC 9728, RFC 6750). */
export interface ProtectedResource {
  /** The identifier that tokens are asked for (RFC 8707), and their audience unless another is set. */
  url: string;
  /** Body of the metadata. */
  metadata: Record<string, unknown>;
  /** Paths at which the metadata are served. */
  metadataPaths: string[];
  /** Value of WWW-Authenticate with 401. */
  unauthenticated(error: IdentityError): string;
  /** Value of WWW-Authenticate with 403. */
  insufficient(needed: Scope): string;
}

export function describeResource({ publicUrl, path, issuer, scopes }: ResourceOptions): ProtectedResource {
  const url = new URL(publicUrl);
  const base = url.pathname.replace(/\/$/, '');
  const pathname = base.endsWith(path) ? base : base + path;
  const resource = url.origin + pathname;
  const challenge = (fields: Record<string, string>, wanted: readonly string[]): string => {
    const all = {
      ...fields,
      ...(wanted.length === 0 ? {} : { scope: wanted.join(' ') }),
      resource_metadata: `${url.origin}${WELL_KNOWN}${pathname}`,
    };
    return `Bearer ${Object.entries(all)
      .map(([name, value]) => `${name}="${value.replace(/[^\x20-\x7e]|["\\]/g, "'")}"`)
      .join(', ')}`;
  };
  return {
    url: resource,
    metadata: {
      resource,
      authorization_servers: [issuer],
      ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
      bearer_methods_supported: ['header'],
      resource_name: 'Kling',
    },
    // By the public path (RFC 9728, 3.1), by our own if a proxy takes a part of it off, and at the root.
    metadataPaths: [...new Set([WELL_KNOWN, WELL_KNOWN + pathname, WELL_KNOWN + path])],
    unauthenticated: ({ code, message }) =>
      // RFC 6750, 3.1: who sent no token is told no error.
      challenge(code === 'credentials_missing' ? {} : { error: 'invalid_token', error_description: message }, scopes),
    insufficient: (needed) =>
      challenge(
        { error: 'insufficient_scope', error_description: `the scope does not let this token ${needed}` },
        scopesNeeded(needed, scopes),
      ),
  };
}
