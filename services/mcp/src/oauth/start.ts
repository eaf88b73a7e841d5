import { type Identity, isRefusal, type Refusal } from '@klingapi/identity';
import type { Registry } from 'prom-client';
import { createTokenMetrics } from '../metrics.ts';
import { createAccessTokenJudge } from './access-token.ts';
import { createJsonFetcher } from './fetch-json.ts';
import { createIssuerKeys, IssuerUnavailable } from './issuer-keys.ts';
import { describeResource, type ProtectedResource } from './protected-resource.ts';

export interface OauthOptions {
  /** Exactly as the issuer names itself, to the slash at the end. */
  issuer: string;
  /** `aud` of accepted tokens; without it the public address of the endpoint. */
  audience: string | undefined;
  /** Scopes of the issuer that count here (`scopes.ts`); empty: every token may do everything. */
  scopes: readonly string[];
  /** Where clients reach this service, with or without the path of the endpoint. */
  publicUrl: string;
  /** Also to an issuer that is not on this machine. */
  allowHttp: boolean;
}

export interface Oauth {
  resource: ProtectedResource;
  judge: (token: string) => Promise<Identity | Refusal>;
  close(): Promise<void>;
}

/** Puts the parts together, and asks the issuer once, so that a wrong address shows at start and not with the first caller. */
export function startOauth(
  options: OauthOptions | undefined,
  path: string,
  registry: Registry,
  onError: (error: unknown) => void,
): Oauth {
  if (options === undefined) throw new Error('authentication by OAuth needs an issuer and a public address');
  const { issuer, scopes, publicUrl, allowHttp } = options;
  const resource = describeResource({ publicUrl, path, issuer, scopes });
  const metrics = createTokenMetrics(registry);
  const fetcher = createJsonFetcher({ allowHttp });
  const keys = createIssuerKeys({
    issuer,
    fetcher,
    clock: () => performance.now(),
    onFetch: metrics.fetched,
    onError: (cause) =>
      onError(new Error(`the issuer of access tokens could not be asked: ${cause.message}`, { cause })),
  });
  const judge = createAccessTokenJudge({
    issuer,
    audience: options.audience ?? resource.url,
    scopes,
    keys,
    now: Date.now,
  });
  keys.current().catch((error: unknown) => {
    // Told already.
    if (!(error instanceof IssuerUnavailable)) onError(error);
  });
  return {
    resource,
    async judge(token) {
      const judged = await judge(token);
      const unavailable = isRefusal(judged) && judged.error.code === 'issuer_unavailable';
      metrics.judged(unavailable ? 'unavailable' : isRefusal(judged) ? 'refused' : 'accepted');
      return judged;
    },
    close: () => fetcher.close(),
  };
}
