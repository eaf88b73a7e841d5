import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPrivateAddress } from './addresses.ts';
import { createEgress, EgressError, type EgressOptions } from './egress.ts';

/** Requests to come whose connection is closed instead of an answer. */
let closing = 0;
const server = createServer((request, reply) => {
  if (closing > 0) {
    closing -= 1;
    return void request.socket.destroy();
  }
  if (request.url === '/away') reply.writeHead(302, { location: `${url}/` });
  reply.end('secret of the inside');
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => void server.close().closeAllConnections());

const get = async (target: string, options: Partial<EgressOptions> = {}) => {
  const egress = createEgress({ trusted: [], ...options });
  try {
    const reply = await egress.get(target, AbortSignal.timeout(5000));
    return { status: reply.status, body: await text(reply.body) };
  } finally {
    await egress.close();
  }
};
/** A name service that says what it is told, one answer after another. */
const answering = (...addresses: string[][]): NonNullable<EgressOptions['lookup']> => {
  const lookup = (_name: string, _options: unknown, callback: (...told: unknown[]) => void) => {
    const some = addresses.length > 1 ? addresses.shift() : addresses[0];
    callback(
      null,
      (some ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return lookup as never;
};

it.each([
  ['::', true],
  ['::1', true],
  ['::10.0.0.1', true],
  ['::ffff:10.0.0.1', true],
  ['::ffff:0:10.0.0.1', true],
  ['64:ff9b::a00:1', true],
  ['64:ff9b:1::a00:1', true],
  ['100::1', true],
  ['2001::1', true],
  ['2001:db8::1', true],
  ['2002:a00:1::1', true],
  ['fec0::1', true],
  ['fe80::1', true],
  ['fd00::1', true],
  ['8.8.8.8', false],
  ['::ffff:8.8.8.8', false],
  ['2001:4860:4860::8888', false],
  ['2606:4700:4700::1111', false],
  ['example.com', false],
] as const)('%s is private: %s', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});

describe('egress', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://[::1]/',
    'http://10.1.2.3/',
    'http://0x7f000001/',
    'http://[::ffff:10.0.0.1]/',
  ])('does not go to the private address %s', async (target) => {
    await expect(get(target)).rejects.toThrow(EgressError);
  });

  it.each(['file:///etc/passwd', 'gopher://example.com', 'http://user:pass@example.com/', 'nothing'])(
    'does not fetch %s',
    async (target) => {
      await expect(get(target)).rejects.toThrow(EgressError);
    },
  );

  it('does not go where a name leads inside, also when its first answer was public', async () => {
    const { port } = new URL(url);
    const inside = [['127.0.0.1'], ['10.0.0.1', '::1'], ['169.254.169.254']];
    for (const addresses of inside) {
      await expect(get(`http://rebound.example:${port}/`, { lookup: answering(addresses) })).rejects.toThrow(
        'is not on the public internet',
      );
    }
    const egress = createEgress({ trusted: [], lookup: answering(['192.0.2.1'], ['127.0.0.1']) });
    const asked = () => egress.get(`http://rebound.example:${port}/`, AbortSignal.timeout(300));
    // 192.0.2.1 is for documents: nobody answers there.
    await expect(asked()).rejects.toThrow();
    await expect(asked()).rejects.toThrow('is not on the public internet');
    await egress.close();
  });

  it('asks once more where the connection was closed, and no more than that', async () => {
    closing = 1;
    expect(await get(`${url}/x`, { trusted: [url] })).toMatchObject({ status: 200 });
    closing = 2;
    await expect(get(`${url}/x`, { trusted: [url] })).rejects.toThrow();
    expect(closing).toBe(0);
  });

  it('goes to a private address that the configuration names, and gives redirects as they are', async () => {
    expect(await get(`${url}/x`, { trusted: [`${url}/base`] })).toEqual({ status: 200, body: 'secret of the inside' });
    expect(await get(`${url}/away`, { trusted: [url] })).toMatchObject({ status: 302 });
  });
});
