/** The proxy of the environment for an address, by the rules that kubectl has from Go: HTTPS_PROXY, HTTP_PROXY, NO_PROXY. */
import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

const setting = (env: Environment, name: string): string => env[name] || env[name.toLowerCase()] || '';

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function isIn(net: string, address: string): boolean {
  const [base = '', bits = ''] = net.split('/');
  if (isIP(base) === 0 || !/^\d+$/.test(bits) || isIP(address) === 0) return false;
  const nets = new BlockList();
  try {
    nets.addSubnet(base, Number(bits), familyOf(base));
  } catch {
    return false;
  }
  return nets.check(address, familyOf(address));
}

/** `.example.com` is for the names below it, `example.com` for itself too; a port narrows either. */
function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === '*' || isIn(entry, host)) return true;
  const [, named = entry, only] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? '' : entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const name = (named || entry).replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  return name.startsWith('.') ? host.endsWith(name) : host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

/** @returns URL of the proxy; undefined where the address is dialled itself, as this machine always is */
export function proxyFor(url: string, env: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const proxy = setting(env, protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === '' || host === 'localhost' || host === '::1' || isIn('127.0.0.0/8', host)) return undefined;
  const excepted = setting(env, 'NO_PROXY')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
  const dialled = port || (protocol === 'https:' ? '443' : '80');
  if (excepted.some((entry) => isExcepted(entry.toLowerCase(), host, dialled))) return undefined;
  return /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}
