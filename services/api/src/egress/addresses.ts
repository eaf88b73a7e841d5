import { BlockList, isIP } from 'node:net';

const notPublic = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(net, bits, 'ipv4');
}
// Those that carry an IPv4 address (::, translated, NAT64, 6to4, Teredo) lead wherever a gateway takes them.
for (const [net, bits] of [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  notPublic.addSubnet(net, bits, 'ipv6');
}

/** Whether the host is an address that is not of the public internet. A name is none: it has to be resolved first. */
export function isPrivateAddress(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return false;
  // BlockList judges ::ffff:10.0.0.1 by its IPv4 nets too.
  return notPublic.check(host, version === 4 ? 'ipv4' : 'ipv6');
}
