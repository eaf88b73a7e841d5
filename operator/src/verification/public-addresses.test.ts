import { expect, it } from 'vitest';
import { allowedLookup, clusterDomain, isRefusedHost } from './public-addresses.ts';

it.each([
  ['127.0.0.1', true],
  ['127.8.9.1', true],
  ['0.0.0.0', true],
  ['169.254.169.254', true],
  ['168.63.129.16', true],
  ['100.100.100.200', true],
  ['224.0.0.1', true],
  ['::', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:169.254.169.254', true],
  ['64:ff9b::a9fe:a9fe', true],
  ['fe80::1', true],
  ['fd00:ec2::254', true],
  ['10.96.0.12', false],
  ['192.168.1.20', false],
  ['203.0.113.7', false],
  ['fd12:3456::1', false],
  ['2606:4700:4700::1111', false],
  ['kling.example.com', false],
  ['kling.corp.local', false],
  ['prometheus', true],
  ['prometheus.monitoring.svc', true],
  ['Prometheus.Monitoring.SVC.', true],
  ['prometheus.monitoring.svc.cluster.local', true],
  ['a.localhost', true],
] as const)('%s is refused: %s', (address, refused) => {
  expect(isRefusedHost(address)).toBe(refused);
});

/** What a connection gets when the name service says this. */
const found = (...addresses: string[]): Promise<unknown> => {
  const said = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const resolver = (_name: string, _options: unknown, callback: (error: null, told: unknown) => void) =>
    callback(null, said);
  return new Promise((resolve) => {
    allowedLookup(resolver as never)('kling.example.com', { all: true }, (error, allowed) => resolve(error ?? allowed));
  });
};

it('knows the domain of the cluster from what the kubelet gives to its pod', () => {
  const given = 'nameserver 10.96.0.10\nsearch media.svc.corp.example svc.corp.example corp.example\noptions ndots:5\n';
  const domain = clusterDomain(given);
  expect(domain).toBe('corp.example');
  expect(isRefusedHost('prometheus.monitoring.svc.corp.example', domain)).toBe(true);
  expect(isRefusedHost('kling.example', domain)).toBe(false);
  expect(clusterDomain('nameserver 192.0.2.1\nsearch example.com\n')).toBeUndefined();
});

it('completes no name', async () => {
  const asked: string[] = [];
  const resolver = (name: string, _options: unknown, callback: (error: null, told: unknown) => void) => {
    asked.push(name);
    callback(null, [{ address: '10.0.0.7', family: 4 }]);
  };
  for (const name of ['prometheus.monitoring', 'kling.example.com.'])
    await new Promise((resolve) => {
      allowedLookup(resolver as never)(name, { all: true }, resolve);
    });
  expect(asked).toEqual(['prometheus.monitoring.', 'kling.example.com.']);
});

it('gives a connection none but allowed addresses', async () => {
  expect(await found('127.0.0.1', '10.0.0.7')).toEqual([{ address: '10.0.0.7', family: 4 }]);
  expect(await found('127.0.0.1', '::1', '169.254.169.254')).toMatchObject({ code: 'ADDRESS_REFUSED' });
  expect(await found()).toMatchObject({ code: 'ADDRESS_REFUSED' });
});
