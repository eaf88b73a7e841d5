/**
 * HTTP status and words of every business code. Source: the vendor's error table,
 * 2026-09-20; the words of 1102, 1201 and 1303 as they were seen live.
 */
export const CODES = {
  1000: { status: 401, message: 'Authentication failed' },
  1001: { status: 401, message: 'Authorization is empty' },
  1002: { status: 401, message: 'Authorization is invalid' },
  1003: { status: 401, message: 'Authorization is not yet valid' },
  1004: { status: 401, message: 'Authorization has expired' },
  1100: { status: 429, message: 'Account abnormal' },
  1101: { status: 429, message: 'Account in arrears' },
  1102: { status: 429, message: 'Account balance not enough' },
  1103: { status: 403, message: 'No right to this API or model' },
  1200: { status: 400, message: 'Invalid request parameters' },
  1201: { status: 400, message: 'Invalid parameter' },
  1202: { status: 404, message: 'Method not found' },
  1203: { status: 404, message: 'Resource does not exist' },
  1300: { status: 400, message: 'The request triggered the policy of the platform' },
  1301: { status: 400, message: 'The request content is sensitive' },
  1302: { status: 429, message: 'Request too fast' },
  1303: { status: 429, message: 'parallel task over resource pack limit' },
  1304: { status: 429, message: 'The IP address is not on the allow-list' },
  5000: { status: 500, message: 'Internal server error' },
  5001: { status: 503, message: 'Under maintenance' },
  5002: { status: 504, message: 'Internal timeout' },
} as const;

export type Code = keyof typeof CODES;
