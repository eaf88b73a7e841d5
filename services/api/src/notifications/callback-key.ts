import { createHmac } from 'node:crypto';

/**
 * The key that messages to one caller are signed with: another for each, so that
 * none can pass for this service before another. Nothing has to be stored.
 */
export function callbackKey(masterKey: string, subject: string): Buffer {
  return createHmac('sha256', masterKey).update(`callback\n${subject}`).digest();
}

/** As tools for Standard Webhooks take it. */
export function callbackSecret(masterKey: string, subject: string): string {
  return `whsec_${callbackKey(masterKey, subject).toString('base64')}`;
}
