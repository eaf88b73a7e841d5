/** The public address from this machine, with and without the DNS. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { klingApiOf } from '../../testing.ts';
import { pinnedLookup } from '../resolve.ts';
import { outsideFacts } from './outside.ts';

const { signal } = new AbortController();
const hosts: (string | undefined)[] = [];
const server = createServer((request, response) => {
  hosts.push(request.headers.host);
  response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
});
let port: number;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close());

// a name that can never be one of the DNS
const exposed = () => klingApiOf({ expose: { url: `http://kling.invalid:${port}` } });

it('is not asked where its name leads nowhere', async () => {
  expect(await outsideFacts(exposed(), undefined, signal)).toEqual({
    url: `http://kling.invalid:${port}/mcp/v1`,
    resolves: false,
    handshake: undefined,
  });
  expect(await outsideFacts(klingApiOf(), undefined, signal)).toBeUndefined();
});

it('is asked at the address that is given for its name, under its name', async () => {
  const facts = await outsideFacts(exposed(), pinnedLookup(`kling.invalid:${port}:127.0.0.1`), signal);
  expect(facts).toMatchObject({ resolves: true, handshake: { verdict: 'AuthRequired' } });
  expect(new Set(hosts)).toEqual(new Set([`kling.invalid:${port}`]));
});

it('says so where the address was given for another name', async () => {
  const facts = await outsideFacts(exposed(), pinnedLookup('other.invalid:80:127.0.0.1'), signal);
  expect(facts?.handshake).toMatchObject({
    verdict: 'Unknown',
    message: expect.stringContaining('--resolve names other.invalid, and kling.invalid was asked for'),
  });
});
