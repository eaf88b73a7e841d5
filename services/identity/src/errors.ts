/**
 * Why a caller was refused. `key_too_short` is a configuration fault of ours,
 * `issuer_unavailable` is nobody's here (503, later); the others are answered
 * with 401 and say nothing about keys that exist.
 */
export type IdentityErrorCode =
  | 'credentials_missing'
  | 'credentials_unknown'
  | 'assertion_malformed'
  | 'assertion_signature'
  | 'assertion_expired'
  | 'assertion_audience'
  | 'assertion_claims'
  | 'token_invalid'
  | 'issuer_unavailable'
  | 'key_too_short';

export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code: IdentityErrorCode;

  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
