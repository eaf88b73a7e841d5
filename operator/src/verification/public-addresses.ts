/**
 * Where a public URL must not lead. Whoever may write a KlingApi says where the operator connects to, so never to the
 * operator's own host and its neighbours on the link (the metadata services of clouds among them), and never by a name of the
 * cluster, under which every Service of every namespace is found. Private networks are allowed, unlike where the API service
 * fetches files of callers: many an ingress has a private address.
 */
import { lookup as lookupName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const own = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  // metadata and agents of Alibaba Cloud and Azure
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
] as const) {
  own.addSubnet(net, bits, 'ipv4');
}
// Those that carry an IPv4 address (::, translated, NAT64, 6to4, Teredo) lead wherever a gateway takes them.
for (const [net, bits] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fe80::', 10],
  ['ff00::', 8],
  // metadata of Amazon
  ['fd00:ec2::', 32],
] as const) {
  own.addSubnet(net, bits, 'ipv6');
}

export const ADDRESS_REFUSED = 'ADDRESS_REFUSED';

/** `allowedLookup` completes no name, so these and those under the domain of the cluster are all there are. */
const NAME_OF_CLUSTER = /^[^.]+$|\.(svc|localhost|cluster\.local)$/;

/**
 * The domain of the cluster, from the search list that the kubelet gives to each pod.
 *
 * @param resolvConf as in `/etc/resolv.conf`
 * @returns such as `cluster.local`; undefined outside a cluster
 */
export const clusterDomain = (resolvConf: string): string | undefined =>
  /^search\s.*\ssvc\.(\S+)/m.exec(resolvConf)?.[1]?.replace(/\.$/, '').toLowerCase();

/**
 * @param host an address, or a name, which says little before it is resolved: see `allowedLookup`
 * @param domain of the cluster
 */
export function isRefusedHost(host: string, domain?: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (isIP(name) !== 0) return isRefusedAddress(name);
  return NAME_OF_CLUSTER.test(name) || (domain !== undefined && name.endsWith(`.${domain}`));
}

function isRefusedAddress(host: string): boolean {
  const version = isIP(host);
  // a BlockList judges ::ffff:127.0.0.1 by its IPv4 nets too
  return version !== 0 && own.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Gives only addresses that are allowed, to the very connection that uses them: a name cannot lead elsewhere between a check
 * and the use. A name stands for itself: the search list of a pod would make a Service of `prometheus.monitoring`.
 */
export function allowedLookup(lookup: typeof lookupName = lookupName): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname.replace(/\.?$/, '.'), { ...options, all: true }, (error, addresses) => {
      const allowed = (addresses ?? []).filter(({ address }) => !isRefusedAddress(address));
      const [first] = allowed;
      if (error !== null) callback(error, []);
      else if (first === undefined)
        callback(
          Object.assign(new Error(`${hostname} leads to an address that is refused`), { code: ADDRESS_REFUSED }),
          [],
        );
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}
