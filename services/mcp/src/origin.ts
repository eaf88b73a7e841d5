/** Names by which this machine calls itself; always allowed, also for the readiness handshake. */
const LOCAL = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Guards against DNS rebinding: a web page can make a browser send requests here,
 * but it cannot choose the Host header or hide the Origin.
 * @param allowed names without port; `*` allows all
 */
export function isAllowedHost(host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes('*')) return true;
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return [...LOCAL, ...allowed.map((name) => name.toLowerCase())].includes(hostname);
}

/** Programs send no Origin; one that is present has to be listed (`https://app.example`). */
export function isAllowedOrigin(origin: string | undefined, allowed: readonly string[]): boolean {
  return origin === undefined || allowed.includes(origin);
}
