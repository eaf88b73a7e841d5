import type { Exchange } from './exchange.ts';

/**
 * Where to repeat the request after a 307 or 308, or null for "nowhere".
 *
 * A stock mount answers `/mcp/v1` with a redirect to `/mcp/v1/`, and builds the
 * address from the Host header. Only path and query are taken over, and only when
 * the address is the one we dialled or the Host we sent: otherwise the handshake
 * of a broken server would end at a healthy neighbour.
 */
export function redirectTarget(
  seen: Pick<Exchange, 'status' | 'headers'>,
  dialled: URL,
  hostHeader: string | undefined,
): URL | null {
  if (seen.status !== 307 && seen.status !== 308) return null;
  const location = seen.headers.location;
  if (location === undefined || !URL.canParse(location, dialled.href)) return null;
  const to = new URL(location, dialled);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') return null;
  const own = [dialled.host, hostHeader === undefined ? null : hostOf(to.protocol, hostHeader)];
  if (!own.includes(to.host)) return null;
  const target = new URL(dialled);
  target.pathname = to.pathname;
  target.search = to.search;
  return target;
}

/** Normalised as URLs normalise it, so that `studio:80` and `studio` are the same. */
function hostOf(protocol: string, host: string): string | null {
  const address = `${protocol}//${host}`;
  return URL.canParse(address) ? new URL(address).host : null;
}
