import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callbackBody, signWebhook, verifyWebhook, webhookKey, webhookSecretSchema } from './index.ts';

const key = webhookKey('whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI=');
/** The vendor's own example. Source: page on callbacks, 2026-09. */
const body =
  '{"id":"1234567890","status":"succeeded","message":"","create_time":1781080778802,"update_time":1781080794151}';
const headers = {
  'webhook-id': '9876543210',
  'webhook-timestamp': '1781080794',
  'webhook-signature': 'v1,UsKlJP00XoQyOn410NM9xv34sP+Gl0jnOO9Lcpr7NJ4=',
};
const sentAt = 1_781_080_794_000;

describe('a signature', () => {
  it("is the vendor's", () => {
    expect(signWebhook(key, '9876543210', 1_781_080_794, body)).toEqual(headers);
    expect(verifyWebhook(key, headers, body, sentAt)).toBeUndefined();
  });

  it('is one of several while a secret is replaced', () => {
    const several = { ...headers, 'webhook-signature': `v1,AAAA v2,x ${headers['webhook-signature']}` };
    expect(verifyWebhook(key, several, body, sentAt)).toBeUndefined();
  });

  it('is good for five minutes, either way', () => {
    for (const off of [-300_000, 300_000]) expect(verifyWebhook(key, headers, body, sentAt + off)).toBeUndefined();
    for (const off of [-302_000, 302_000]) expect(verifyWebhook(key, headers, body, sentAt + off)).toContain('too old');
  });

  it('covers the id, the time and every byte of the body', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(body);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(verifyWebhook(key, headers, bytes, sentAt)).toBe('the signature is wrong');
      }),
    );
    for (const changed of [{ 'webhook-id': '9876543211' }, { 'webhook-timestamp': '1781080795' }]) {
      expect(verifyWebhook(key, { ...headers, ...changed }, body, sentAt)).toBe('the signature is wrong');
    }
  });

  it.each([
    [{}, 'not signed'],
    [{ ...headers, 'webhook-signature': undefined }, 'not signed'],
    [{ ...headers, 'webhook-signature': ['a', 'b'] }, 'not signed'],
    [{ ...headers, 'webhook-timestamp': 'now' }, 'not valid'],
    [{ ...headers, 'webhook-id': '' }, 'not valid'],
    [{ ...headers, 'webhook-signature': 'v1,' }, 'wrong'],
    [{ ...headers, 'webhook-signature': headers['webhook-signature'].slice(3) }, 'wrong'],
  ])('that is %j is refused', (given, reason) => {
    expect(verifyWebhook(key, given, body, sentAt)).toContain(reason);
  });

  it('needs a secret that is one', () => {
    for (const text of ['', 'whsec_', 'short', 'whsec_not base64!!!!!!!!']) {
      expect(webhookSecretSchema.safeParse(text).success).toBe(false);
    }
  });
});

it('a callback is a task in either shape', () => {
  expect(callbackBody.parse(JSON.parse(body))).toMatchObject({ id: '1234567890', status: 'succeeded', images: [] });
  const legacy = {
    task_id: 't',
    task_status: 'succeed',
    task_info: { external_task_id: 'e', parent_video: null },
    task_result: { videos: [{ id: 'v', url: 'https://x/0.mp4', duration: '5.1' }] },
    final_unit_deduction: '2.4',
  };
  expect(callbackBody.parse(legacy)).toMatchObject({ id: 't', externalId: 'e', status: 'succeeded', units: '2.4' });
});
