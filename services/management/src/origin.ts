import { z } from 'zod';

/** Names by which this machine calls itself. */
const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Guards against DNS rebinding: a web page can make a browser send requests here,
 * but it cannot choose the Host header or hide the Origin.
 * @param allowed names without port, besides those of this machine; `*` allows all
 */
export function isAllowedHost(host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true;
  const hostname = hostnameOf(host);
  return hostname !== undefined && [...LOCAL, ...allowed.map((name) => name.toLowerCase())].includes(hostname);
}

/** As {@link isAllowedHost}, and quick where the same Host comes again, as it does behind an ingress. */
export function hostGuard(allowed: readonly string[]): (host: string | undefined) => boolean {
  let last: string | undefined;
  let verdict = isAllowedHost(last, allowed);
  return (host) => {
    if (host !== last) [last, verdict] = [host, isAllowedHost(host, allowed)];
    return verdict;
  };
}

/**
 * Whether nobody can point the name at another machine for a browser: addresses,
 * names without a dot and names of the cluster are in no public name service.
 */
export function isUnclaimableHost(host: string | undefined): boolean {
  const hostname = hostnameOf(host);
  if (hostname === undefined) return false;
  return /^(\[.*\]|[\d.]+|[^.]+|.*\.(svc|svc\.cluster\.local|localhost))$/.test(hostname);
}

/** Programs send no Origin; one that is present has to be listed (`https://app.example`). */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin === undefined || allowed.includes(origin);
}

/**
 * Lets a page of an allowed origin read what it gets: a browser sends the request
 * either way, and keeps the reply from a page that is not named here. There is no
 * `*` and there are no credentials: keys are sent by the page itself.
 */
export function corsHeaders(origin: string, exposed: readonly string[]): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    vary: 'Origin',
    'access-control-expose-headers': exposed.join(', '),
  };
}

/** The answer to what a browser asks before it sends a request of a page; it carries no key yet. */
export function preflightHeaders(asked: string | undefined, methods: readonly string[]): Record<string, string> {
  return {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': asked ?? 'authorization, content-type',
    'access-control-max-age': '600',
  };
}

/** A comma list of a variable; empty entries count as absent. */
export const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

export const originList = commaList.refine(
  (all) => all.every((origin) => /^[a-z][a-z0-9+.-]*:\/\/[^\sA-Z/?#@\\*]+$/.test(origin)),
  'each is an origin such as https://app.example: scheme, host and port in small letters, no path and no *; an origin cannot hold a comma, because commas separate them',
);

export const hostList = commaList.refine(
  (all) => all.every((host) => /^(\*|[^\s/:?#@\\[\]]+|\[[0-9a-f:]+\])$/i.test(host)),
  'each is a host name without port, or * for all; commas separate them',
);

function hostnameOf(host: string | undefined): string | undefined {
  return host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname;
}
