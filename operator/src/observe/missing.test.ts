import { describe, expect, it } from 'vitest';
import type { SecretData } from '../apply/secrets.ts';
import { klingApiOf } from '../testing.ts';
import { missingReferences, NOTHING_MISSING } from './missing.ts';
import { references } from './references.ts';

const vendor = { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
const other = { image: 'example/server:2', handshake: { headersSecretRef: { name: 'headers' } } };
const store = (content: Record<string, Record<string, string>>) => ({
  lookUp: async (_kind: string, _namespace: string, name: string): Promise<SecretData | undefined> =>
    content[name] === undefined
      ? undefined
      : Object.fromEntries(Object.entries(content[name]).map(([key, value]) => [key, Buffer.from(value)])),
});

describe('the Secrets and ConfigMaps that pods read', () => {
  it.each([
    ['the sandbox needs none', {}, []],
    ['the key of the vendor', { upstream: vendor }, ['api kling/apiKey']],
    [
      'both keys of an older account',
      {
        upstream: {
          provider: 'Kling',
          accessKeySecretRef: { name: 'old', key: 'ak' },
          secretKeySecretRef: { name: 'older', key: 'sk' },
        },
      },
      ['api old/ak', 'api older/sk'],
    ],
    ['callers, for both', { api: { callersSecretRef: { name: 'ours' } } }, ['api ours', 'mcp ours']],
    [
      'callers, for the API alone',
      { api: { callersSecretRef: { name: 'ours' } }, mcp: { auth: { none: {} } } },
      ['api ours'],
    ],
    ['headers of a server of another make', { mcp: other }, ['mcp headers']],
    [
      'no headers for our own server, which mounts none',
      { mcp: { handshake: { headersSecretRef: { name: 'headers' } } } },
      [],
    ],
    [
      'the secret of callbacks, which the sandbox signs with',
      { upstream: { provider: 'Sandbox', webhookSecretRef: { name: 'hooks', key: 'w' } } },
      ['api hooks/w', 'sandbox hooks/w'],
    ],
    [
      'the secret of callbacks of the vendor',
      { upstream: { ...vendor, webhookSecretRef: { name: 'kling', key: 'w' } } },
      ['api kling/apiKey', 'api kling/w'],
    ],
    [
      'the database and the object store',
      {
        api: {
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
      },
      ['api db/url', 'api s3/id', 'api s3/secret'],
    ],
    [
      'what the environment takes',
      {
        mcp: {
          env: [
            { name: 'A', value: 'plain' },
            { name: 'B', valueFrom: { secretKeyRef: { name: 'one', key: 'b' } } },
            { name: 'C', valueFrom: { configMapKeyRef: { name: 'two', key: 'c', optional: true } } },
          ],
          envFrom: [{ secretRef: { name: 'three' } }, { configMapRef: { name: 'four', optional: true } }],
        },
      },
      ['mcp one/b', 'mcp two/c', 'mcp three', 'mcp four'],
    ],
    [
      'callers, for the API alone, where MCP takes tokens',
      {
        api: { callersSecretRef: { name: 'ours' } },
        expose: { url: 'https://kling.example' },
        mcp: { auth: { oauth: { issuer: 'https://id.example' } } },
      },
      ['api ours'],
    ],
  ])('%s', (_, spec, expected) => {
    const found = references(klingApiOf(spec));
    expect(
      found.map(({ component, name, key }) => `${component} ${name}${key === undefined ? '' : `/${key}`}`),
    ).toEqual(expected);
  });

  it('are named when they are missing, with what to do', async () => {
    expect(await missingReferences(klingApiOf({ upstream: vendor, mcp: other }), store({}))).toEqual({
      api: {
        reason: 'MissingSecret',
        message:
          'Secret kling does not exist in namespace media, or the operator may not read it: create it with the key "apiKey", or change spec.upstream.apiKeySecretRef',
      },
      mcp: {
        reason: 'MissingSecret',
        message:
          'Secret headers does not exist in namespace media, or the operator may not read it: create it, or change spec.mcp.handshake.headersSecretRef',
      },
    });
  });

  it('may be missing where the resource says so, and a ConfigMap is named as one', async () => {
    const env = (optional: boolean) => [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'flags', key: 'a', optional } } },
    ];
    expect(await missingReferences(klingApiOf({ mcp: { env: env(true) } }), store({}))).toEqual(NOTHING_MISSING);
    expect((await missingReferences(klingApiOf({ mcp: { env: env(false) } }), store({}))).mcp).toEqual({
      reason: 'MissingConfigMap',
      message:
        'ConfigMap flags does not exist in namespace media, or the operator may not read it: create it with the key "a", or change spec.mcp.env[A]',
    });
  });

  it('lack a key', async () => {
    const { api } = await missingReferences(klingApiOf({ upstream: vendor }), store({ kling: { apikey: 'hidden' } }));
    expect(api?.message).toBe('Secret kling has no key "apiKey": add the key, or change spec.upstream.apiKeySecretRef');
  });

  it('are all there', async () => {
    const full = store({ kling: { apiKey: 'k' }, headers: {} });
    expect(await missingReferences(klingApiOf({ upstream: vendor, mcp: other }), full)).toEqual({
      api: null,
      mcp: null,
    });
  });
});
