import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import { klingApiOf } from '../testing.ts';
import { createSecrets } from './secrets.ts';

type Stored = {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; labels?: Record<string, string> };
  data?: Record<string, string>;
};

/** Only the two calls that the operator is allowed. */
function apiServer() {
  const store = new Map<string, Stored>();
  const calls: string[] = [];
  const client = {
    async get(ref: { name: string }) {
      calls.push(`get ${ref.name}`);
      const found = store.get(ref.name);
      if (found === undefined) throw new KubeError({ code: 'NotFound', status: 404, message: 'not found' });
      return found;
    },
    async create(object: Stored) {
      const name = object.metadata?.name ?? '';
      calls.push(`create ${name}`);
      if (store.has(name)) throw new KubeError({ code: 'AlreadyExists', status: 409, message: 'exists' });
      store.set(name, object);
      return object;
    },
  };
  return { store, calls, client: client as unknown as Parameters<typeof createSecrets>[0] };
}

describe('the Secrets of a KlingApi', () => {
  it('are made once and never overwritten', async () => {
    const server = apiServer();
    let now = 0;
    const secrets = createSecrets(
      server.client,
      () => now,
      () => 0.5,
    );
    const key = await secrets.ensure(klingApiOf());
    expect(key.length).toBeGreaterThanOrEqual(32);
    const caller = server.store.get('studio-callers')?.data?.['default'];
    now += 3_600_000;
    expect(await secrets.ensure(klingApiOf())).toBe(key);
    expect(server.store.get('studio-callers')?.data?.['default']).toBe(caller);
    expect(server.calls.filter((call) => call.startsWith('create'))).toHaveLength(2);
  });

  it('are read at most about once a minute', async () => {
    const server = apiServer();
    let now = 0;
    const secrets = createSecrets(
      server.client,
      () => now,
      () => 0.5,
    );
    await secrets.ensure(klingApiOf());
    const before = server.calls.length;
    for (let second = 1; second < 55; second += 1) {
      now = second * 1_000;
      await secrets.ensure(klingApiOf());
    }
    expect(server.calls.length).toBe(before);
  });

  it('of another owner are not adopted', async () => {
    const server = apiServer();
    server.store.set('studio-internal', {
      metadata: { name: 'studio-internal' },
      data: { key: Buffer.from('x'.repeat(40)).toString('base64') },
    });
    await expect(
      createSecrets(
        server.client,
        () => 0,
        () => 0,
      ).ensure(klingApiOf()),
    ).rejects.toMatchObject({ finding: { reason: 'ForeignObject' } });
  });

  it('no callers are made where another Secret is named', async () => {
    const server = apiServer();
    await createSecrets(
      server.client,
      () => 0,
      () => 0,
    ).ensure(klingApiOf({ api: { callersSecretRef: { name: 'ours' } } }));
    expect([...server.store.keys()]).toEqual(['studio-internal']);
  });

  it('a key that another operator made meanwhile stands', async () => {
    const server = apiServer();
    const [a, b] = [
      createSecrets(
        server.client,
        () => 0,
        () => 0,
      ),
      createSecrets(
        server.client,
        () => 0,
        () => 0,
      ),
    ];
    const [first, second] = await Promise.all([a.ensure(klingApiOf()), b.ensure(klingApiOf())]);
    expect(first).toBe(second);
  });

  it('of an earlier KlingApi of that name are made anew once they are gone', async () => {
    const server = apiServer();
    const secrets = createSecrets(
      server.client,
      () => 0,
      () => 0,
    );
    const first = await secrets.ensure(klingApiOf());
    const second = klingApiOf();
    const renewed = { ...second, metadata: { ...second.metadata, uid: '6a1f0000-0000-4000-8000-000000000009' } };
    await expect(secrets.ensure(renewed)).rejects.toMatchObject({ finding: { reason: 'ForeignObject' } });
    server.store.clear();
    expect(await secrets.ensure(renewed)).not.toBe(first);
  });
});
