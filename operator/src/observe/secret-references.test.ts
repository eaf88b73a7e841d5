import { describe, expect, it } from 'vitest';
import type { SecretData } from '../apply/secrets.ts';
import { klingApiOf } from '../testing.ts';
import { missingSecrets, secretReferences } from './secret-references.ts';

const vendor = { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } };
const other = { image: 'example/server:2', handshake: { headersSecretRef: { name: 'headers' } } };
const store = (content: Record<string, Record<string, string>>) => ({
  read: async (_: string, name: string): Promise<SecretData | undefined> =>
    content[name] === undefined
      ? undefined
      : Object.fromEntries(Object.entries(content[name]).map(([key, value]) => [key, Buffer.from(value)])),
});

describe('the Secrets that pods wait for', () => {
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
  ])('%s', (_, spec, expected) => {
    const found = secretReferences(klingApiOf(spec));
    expect(
      found.map(({ component, name, key }) => `${component} ${name}${key === undefined ? '' : `/${key}`}`),
    ).toEqual(expected);
  });

  it('are named when they are missing, with what to do', async () => {
    expect(await missingSecrets(klingApiOf({ upstream: vendor, mcp: other }), store({}))).toEqual({
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

  it('lack a key', async () => {
    const { api } = await missingSecrets(klingApiOf({ upstream: vendor }), store({ kling: { apikey: 'hidden' } }));
    expect(api?.message).toBe('Secret kling has no key "apiKey": add the key, or change spec.upstream.apiKeySecretRef');
  });

  it('are all there', async () => {
    const full = store({ kling: { apiKey: 'k' }, headers: {} });
    expect(await missingSecrets(klingApiOf({ upstream: vendor, mcp: other }), full)).toEqual({ api: null, mcp: null });
  });
});
