/** What the public address shows from this machine. */
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { handshake } from '@klingapi/probe';
import { handshakeEras } from '../../resource/absent.ts';
import { exposedEndpoint } from '../../verification/exposure.ts';
import type { Listed } from '../cluster/klingapis.ts';
import type { PublicFacts } from './facts.ts';

const TIMEOUT_MS = 8_000;

const isKnown = (hostname: string): Promise<boolean> =>
  lookup(hostname).then(
    () => true,
    () => false,
  );

/**
 * Without a key: who stands at a public address is not known yet, and that one is asked for says enough.
 * @param pinned what finds the address instead of the DNS
 */
export async function outsideFacts(
  klingApi: Pick<Listed, 'spec'>,
  pinned: LookupFunction | undefined,
  signal: AbortSignal,
): Promise<PublicFacts | undefined> {
  const url = exposedEndpoint(klingApi);
  if (url === undefined) return undefined;
  // in an address of IPv6 the brackets are part of the URL alone
  if (pinned === undefined && !(await isKnown(new URL(url).hostname.replace(/^\[|\]$/g, ''))))
    return { url, resolves: false, handshake: undefined };
  return {
    url,
    resolves: true,
    handshake: await handshake({
      ...{ url, eras: handshakeEras(klingApi.spec), timeoutMs: TIMEOUT_MS, signal },
      ...(pinned === undefined ? {} : { lookup: pinned }),
    }),
  };
}
