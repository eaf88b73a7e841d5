import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { INPUT_STAMP } from '../children/child.ts';
import { klingApiOf } from '../testing.ts';
import { inputStamp } from './input-stamp.ts';
import type { SecretData } from './secrets.ts';

const key = 'k'.repeat(43);
const vendor = klingApiOf({ upstream: { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } } });
const pair = klingApiOf({
  upstream: {
    provider: 'Kling',
    accessKeySecretRef: { name: 'kling', key: 'ak' },
    secretKeySecretRef: { name: 'kling', key: 'sk' },
  },
});
type Content = Record<string, string> | undefined;
const data = (content: Content): SecretData | undefined =>
  content && Object.fromEntries(Object.entries(content).map(([name, value]) => [name, Buffer.from(value)]));
/** Every Secret and ConfigMap holds the same. */
const holding = (content: Content) => ({ lookUp: async () => data(content) });
const stamp = (content: Content, klingApi = vendor, internal = key) =>
  inputStamp(klingApi, 'api', undefined, internal, holding(content));

describe('the stamp of what pods read once', () => {
  it('changes with a key that is used, and with no other', async () => {
    const before = await stamp({ apiKey: 'one' });
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    expect(await stamp({ apiKey: 'one', note: 'new' })).toBe(before);
    expect(await stamp({ apiKey: 'two' })).not.toBe(before);
  });

  it('gives nothing away: it is neither the value nor a hash that can be tried', async () => {
    const made = (await stamp({ apiKey: 'one' })) ?? '';
    expect(made).not.toContain('one');
    expect(createHash('sha256').update('one').digest('hex')).not.toContain(made);
    expect(await stamp({ apiKey: 'one' }, vendor, 'j'.repeat(43))).not.toBe(made);
  });

  it('tells where one value ends and the next begins', async () => {
    const between = 'spec.upstream.secretKeySecretRef';
    expect(await stamp({ ak: `a${between}b`, sk: 'c' }, pair)).not.toBe(
      await stamp({ ak: 'a', sk: `b${between}c` }, pair),
    );
  });

  it('stays as it is while a Secret or its key is missing, or nothing can be signed with', async () => {
    const live = { metadata: { annotations: { [INPUT_STAMP]: 'before' } } };
    const stamped = (content: Content, internal: string | undefined = key) =>
      inputStamp(vendor, 'api', live, internal, holding(content));
    expect(await stamped(undefined)).toBe('before');
    expect(await stamped({ other: 'x' })).toBe('before');
    expect(await inputStamp(vendor, 'api', live, undefined, holding({ apiKey: 'one' }))).toBe('before');
    expect(await stamped({ apiKey: 'one' })).not.toBe('before');
    expect(await stamp(undefined)).toBeUndefined();
  });

  it('is none where the pods read nothing once: the sandbox takes any key, callers are read again', async () => {
    const upstream = { provider: 'Sandbox', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
    const sandbox = klingApiOf({ upstream, api: { callersSecretRef: { name: 'ours' } } });
    expect(await stamp({ apiKey: 'one' }, sandbox)).toBeUndefined();
  });
});

describe('each workload', () => {
  /** Contents by name. @returns the stamps of the workloads */
  const stamps = async (spec: Record<string, unknown>, contents: Record<string, Content>) => {
    const secrets = { lookUp: async (kind: string, _: string, name: string) => data(contents[`${kind} ${name}`]) };
    const of = (component: 'api' | 'mcp' | 'sandbox') =>
      inputStamp(klingApiOf(spec), component, undefined, key, secrets);
    return { api: await of('api'), mcp: await of('mcp'), sandbox: await of('sandbox') };
  };
  const spec = {
    upstream: { provider: 'Sandbox', webhookSecretRef: { name: 'hooks', key: 'secret' } },
    api: {
      env: [{ name: 'FLAG', valueFrom: { configMapKeyRef: { name: 'flags', key: 'a' } } }],
      storage: { postgres: { urlSecretRef: { name: 'db', key: 'url' } } },
      results: {
        s3: {
          bucket: 'results',
          region: 'eu-1',
          accessKeyIdSecretRef: { name: 's3', key: 'id' },
          secretAccessKeySecretRef: { name: 's3', key: 'secret' },
        },
      },
    },
    mcp: { envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'extra', optional: true } }] },
  };
  const contents: Record<string, Content> = {
    'Secret hooks': { secret: 'h' },
    'ConfigMap flags': { a: '1', b: '1' },
    'Secret db': { url: 'postgres://' },
    'Secret s3': { id: 'i', secret: 's' },
    'ConfigMap settings': { x: '1' },
  };

  it.each([
    ['the secret of callbacks', { 'Secret hooks': { secret: 'new' } }, ['api', 'sandbox']],
    ['a key of a ConfigMap', { 'ConfigMap flags': { a: '2', b: '1' } }, ['api']],
    ['another key of it', { 'ConfigMap flags': { a: '1', b: '2' } }, []],
    ['the database', { 'Secret db': { url: 'postgres://new' } }, ['api']],
    ['the object store', { 'Secret s3': { id: 'i', secret: 'new' } }, ['api']],
    ['a value of a whole ConfigMap', { 'ConfigMap settings': { x: '2' } }, ['mcp']],
    ['a name more in it', { 'ConfigMap settings': { x: '1', y: '' } }, ['mcp']],
    ['a Secret that may be missing, coming', { 'Secret extra': {} }, ['mcp']],
    ['one of the same name that nobody reads', { 'Secret settings': { x: '2' }, 'ConfigMap db': { url: 'x' } }, []],
  ])('makes new pods of %s, and no other does', async (_, change, changed) => {
    const before = await stamps(spec, contents);
    const now = await stamps(spec, { ...contents, ...change });
    expect(Object.values(before)).not.toContain(undefined);
    expect((['api', 'mcp', 'sandbox'] as const).filter((component) => before[component] !== now[component])).toEqual(
      changed,
    );
  });
});
