/** What the public address shows from this machine. */
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { handshake } from '@klingapi/probe';
import { handshakeEras, publicUrl } from '../../resource/absent.ts';
import { mayCarryCredentials } from '../../verification/exposure.ts';
import type { Listed } from '../cluster/klingapis.ts';
import type { PublicFacts } from './facts.ts';

const TIMEOUT_MS = 8_000;

const isKnown = (hostname: string): Promise<boolean> =>
  lookup(hostname).then(
    () => true,
    () => false,
  );

/** @param pinned what finds the address instead of the DNS */
export async function outsideFacts(
  { spec }: Pick<Listed, 'spec'>,
  headers: Record<string, string>,
  pinned: LookupFunction | undefined,
): Promise<PublicFacts | undefined> {
  const base = publicUrl(spec);
  if (base === undefined) return undefined;
  const url = `${base}${spec.mcp.path}`;
  if (pinned === undefined && !(await isKnown(new URL(url).hostname)))
    return { url, resolves: false, handshake: undefined };
  return {
    url,
    resolves: true,
    handshake: await handshake({
      url,
      headers: mayCarryCredentials(url, spec) ? headers : {},
      eras: handshakeEras(spec),
      timeoutMs: TIMEOUT_MS,
      ...(pinned === undefined ? {} : { lookup: pinned }),
    }),
  };
}
