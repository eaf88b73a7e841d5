/** What a failure means for whoever called, whatever its number. */
export type KlingErrorKind =
  | 'key_invalid'
  | 'account'
  | 'balance'
  | 'forbidden'
  | 'bad_request'
  | 'duplicate'
  | 'not_found'
  | 'moderation'
  | 'rate_limit'
  | 'concurrency'
  | 'unavailable'
  | 'timeout'
  | 'network'
  | 'malformed';

/**
 * What may be done again. `create: 'look-up'`: the outcome is unknown, a task
 * may exist and have been paid; only a look-up by external id tells.
 */
export interface KlingCode {
  readonly kind: KlingErrorKind;
  readonly read: 'never' | 'again' | 'after-signing';
  readonly create: 'never' | 'again' | 'after-signing' | 'look-up';
  readonly meaning: string;
}

const refused = (kind: KlingErrorKind, meaning: string): KlingCode => ({
  kind,
  read: 'never',
  create: 'never',
  meaning,
});

/**
 * Business codes. Retrying goes by these, never by HTTP status: 1100, 1101,
 * 1102 and 1304 come with 429 and are permanent.
 * Source: vendor error table, 2026-09-20; retry columns are our reading of it.
 */
export const KLING_CODES: Readonly<Record<number, KlingCode>> = {
  1000: refused('key_invalid', 'Kling did not accept the credentials'),
  1001: refused('key_invalid', 'Kling received no credentials'),
  1002: refused('key_invalid', 'Kling does not know the API key, or the signed token is wrong'),
  1003: {
    kind: 'key_invalid',
    read: 'after-signing',
    create: 'after-signing',
    meaning: 'the signed token is not valid yet: the clocks differ',
  },
  1004: {
    kind: 'key_invalid',
    read: 'after-signing',
    create: 'after-signing',
    meaning: 'the signed token has expired',
  },
  1100: refused('account', 'the Kling account is restricted'),
  1101: refused('balance', 'the Kling account is in arrears'),
  1102: refused('balance', 'the Kling resource pack is used up or has expired'),
  1103: refused('forbidden', 'the Kling account may not use this model or function'),
  1200: refused('bad_request', 'Kling refused the parameters'),
  1201: refused('bad_request', 'Kling refused a parameter'),
  1202: refused('bad_request', 'Kling does not offer this method'),
  1203: refused('not_found', 'Kling does not have this model or resource'),
  1300: refused('moderation', 'Kling refused the request by its platform policy'),
  1301: refused('moderation', 'Kling refused the content of the request'),
  1302: { kind: 'rate_limit', read: 'again', create: 'again', meaning: 'requests came faster than Kling allows' },
  1303: {
    kind: 'concurrency',
    read: 'again',
    create: 'again',
    meaning: 'more tasks run at once than the resource pack allows',
  },
  1304: refused('forbidden', 'the address of this service is not on the allow-list of the Kling account'),
  5000: { kind: 'unavailable', read: 'again', create: 'look-up', meaning: 'Kling had an internal error' },
  5001: { kind: 'unavailable', read: 'again', create: 'look-up', meaning: 'Kling is under maintenance' },
  5002: { kind: 'timeout', read: 'again', create: 'look-up', meaning: 'Kling timed out internally' },
};

/**
 * The entry for a reply. 1201 is three things that only its message tells
 * apart; an unknown code is judged by its HTTP status, a 5xx as unknown outcome.
 */
export function judgeCode(code: number, httpStatus: number, message: string): KlingCode {
  if (code === 1201 && /not found/i.test(message)) return refused('not_found', 'Kling does not have this task');
  if (code === 1201 && /already exist/i.test(message)) {
    return refused('duplicate', 'Kling already has a task with this external id');
  }
  const known = KLING_CODES[code];
  if (known !== undefined) return known;
  if (httpStatus >= 500) {
    return { kind: 'unavailable', read: 'again', create: 'look-up', meaning: 'Kling answered a server error' };
  }
  if (httpStatus === 401) return refused('key_invalid', 'Kling did not accept the credentials');
  if (httpStatus === 403) return refused('forbidden', 'Kling forbade the request');
  if (httpStatus === 404) return refused('not_found', 'Kling does not have this');
  return refused('bad_request', 'Kling refused the request');
}
