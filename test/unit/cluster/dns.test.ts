import { expect, it } from 'vitest';
import { corefile } from '../../cluster/coredns.ts';
import { parseResolvers } from '../../cluster/resolvers.ts';

it('keeps name servers that a pod can reach, and no loopback of the host', () => {
  const resolvConf = `# made by hand
nameserver 127.0.0.53
nameserver 192.0.2.53
  nameserver 2001:db8::53
nameserver ::1
search example.org`;
  expect(parseResolvers(resolvConf)).toEqual(['192.0.2.53', '2001:db8::53']);
});

it('asks nobody outside when the host knows nobody', () => {
  expect(corefile([])).not.toContain('forward');
});

it('is a Corefile with every option on a line of its own', () => {
  expect(corefile(['192.0.2.53'])).toMatchInlineSnapshot(`
    ".:53 {
      errors
      health {
       lameduck 1s
      }
      ready
      cache 5
      rewrite name suffix .public.test. .svc.cluster.local. answer auto
      kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 5
      }
      forward . 192.0.2.53
      reload 2s
    }
    "
  `);
});
