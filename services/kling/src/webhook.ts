import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/** Seconds that a timestamp may differ from our clock, either way. Source: the Standard Webhooks specification. */
const TOLERANCE_SECONDS = 300;

export type WebhookHeaders = {
  readonly 'webhook-id': string;
  /** Unix seconds. */
  readonly 'webhook-timestamp': string;
  /** `v1,<base64>`, several of them while a secret is being replaced. */
  readonly 'webhook-signature': string;
};

/** A secret as text, for the door of a process. */
export const webhookSecretSchema = z
  .string()
  .trim()
  .regex(/^(whsec_)?[A-Za-z0-9+/]{16,}={0,2}$/, 'must be Base64, usually after whsec_');

/**
 * The key in a secret as Kling's console shows it: `whsec_` and Base64.
 * @throws z.ZodError when it is not that
 */
export function webhookKey(secret: string): Buffer {
  return Buffer.from(webhookSecretSchema.parse(secret).replace(/^whsec_/, ''), 'base64');
}

export function signWebhook(key: Uint8Array, id: string, timestamp: number, body: string | Uint8Array): WebhookHeaders {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${mac(key, id, String(timestamp), body).toString('base64')}`,
  };
}

/**
 * Whether the message is signed with the key and was signed just now. Whether it
 * came before is for the caller to know, by its id.
 *
 * @param body the bytes as they came
 * @param now milliseconds since the epoch
 * @returns the reason to refuse it, or undefined when it is genuine
 */
export function verifyWebhook(
  key: Uint8Array,
  headers: Readonly<Record<string, unknown>>,
  body: string | Uint8Array,
  now: number,
): string | undefined {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signature = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') {
    return 'the message is not signed';
  }
  if (id === '' || id.length > 256 || !/^\d{1,12}$/.test(timestamp))
    return 'the headers of the signature are not valid';
  if (Math.abs(now / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return 'the message is too old, or of the future';
  const expected = mac(key, id, timestamp, body);
  const isSigned = signature.split(' ').some((each) => {
    const [version, text = ''] = each.split(',', 2);
    const given = Buffer.from(text, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
  return isSigned ? undefined : 'the signature is wrong';
}

function mac(key: Uint8Array, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
