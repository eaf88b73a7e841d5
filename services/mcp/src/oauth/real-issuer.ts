/** For tests: a certified OpenID provider, on loopback unless told otherwise, with a person to log in and a client for each grant. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

export const MACHINE = { clientId: 'machine', clientSecret: 'a-secret-of-the-machine-client' };
export const APP = { clientId: 'app', redirectUri: 'http://127.0.0.1:9/callback' };
export const SCOPES = ['kling:read', 'kling:create'];

export interface RealIssuer {
  issuer: string;
  close(): Promise<void>;
}

export interface RealIssuerOptions {
  /** Address to listen on; loopback without it. */
  address?: string;
  /** Name under which others reach it; the address without it. */
  host?: string;
}

export async function startRealIssuer({
  address: listenOn = '127.0.0.1',
  host = listenOn,
}: RealIssuerOptions = {}): Promise<RealIssuer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, listenOn, resolve));
  const address = server.address();
  const issuer = `http://${host}:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'first', alg: 'RS256', use: 'sig' };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    cookies: { keys: ['a-key-for-cookies-of-the-test'] },
    scopes: ['openid', 'offline_access', ...SCOPES],
    clients: [
      {
        client_id: MACHINE.clientId,
        client_secret: MACHINE.clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        scope: SCOPES.join(' '),
      },
      {
        client_id: APP.clientId,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [APP.redirectUri],
        response_types: ['code'],
      },
    ],
    findAccount: (_ctx: unknown, sub: string) => ({ accountId: sub, claims: () => ({ sub }) }),
    pkce: { required: () => true },
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 600, Interaction: 600, Session: 600, IdToken: 300 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx: unknown, resource: string) => ({
          scope: SCOPES.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * What a person does in a browser: follows redirects with cookies, fills in the login, consents.
 * @returns the address that the application is called back at
 */
export async function logIn(authorization: URL, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let request: { url: URL; form?: URLSearchParams } = { url: authorization };
  for (let step = 0; step < 20; step++) {
    if (request.url.href.startsWith(APP.redirectUri)) return request.url;
    const reply = await fetch(request.url, {
      method: request.form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(request.form === undefined ? {} : { body: request.form }),
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = reply.headers.get('location');
    const page = await reply.text();
    if (location !== null) {
      request = { url: new URL(location, request.url) };
      continue;
    }
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`HTTP ${reply.status}: ${page.slice(0, 500)}`);
    request = { url: new URL(action, request.url), form: new URLSearchParams({ prompt, login, password: 'any' }) };
  }
  throw new Error('the login did not come to its end');
}
