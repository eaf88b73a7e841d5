import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { apiStatefulSet } from '../children/api-statefulset.ts';
import { type ImageSettings, UPSTREAM_STAMP } from '../children/child.ts';
import { klingApiOf } from '../testing.ts';
import { upstreamStamp } from './upstream-stamp.ts';

const images: ImageSettings = {
  ...{ mcp: 'm', api: 'a', sandbox: 's', probe: 'p' },
  pullPolicy: 'IfNotPresent',
  pullSecrets: [],
};
const key = 'k'.repeat(43);
const vendor = klingApiOf({ upstream: { provider: 'Kling', apiKeySecretRef: { name: 'kling', key: 'apiKey' } } });
const pair = klingApiOf({
  upstream: {
    provider: 'Kling',
    accessKeySecretRef: { name: 'kling', key: 'ak' },
    secretKeySecretRef: { name: 'kling', key: 'sk' },
  },
});
const holding = (content: Record<string, string> | undefined) => ({
  read: async () =>
    content && Object.fromEntries(Object.entries(content).map(([name, value]) => [name, Buffer.from(value)])),
});
const stamp = (content: Record<string, string> | undefined, klingApi = vendor, internal = key) =>
  upstreamStamp(klingApi, undefined, internal, holding(content));

describe('the stamp of the upstream credentials', () => {
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

  it('stays as it is while the Secret or its key is missing', async () => {
    const live = apiStatefulSet(vendor, images, 'before');
    expect(live.spec?.template.metadata?.annotations?.[UPSTREAM_STAMP]).toBe('before');
    expect(await upstreamStamp(vendor, live, key, holding(undefined))).toBe('before');
    expect(await upstreamStamp(vendor, live, key, holding({ other: 'x' }))).toBe('before');
    expect(await stamp(undefined)).toBeUndefined();
  });

  it('is none for the sandbox, whatever the resource names beside it', async () => {
    const sandbox = klingApiOf({
      upstream: { provider: 'Sandbox', apiKeySecretRef: { name: 'kling', key: 'apiKey' } },
    });
    expect(await stamp({ apiKey: 'one' }, sandbox)).toBeUndefined();
  });
});
