/** Who calls. What is where: `README.md` of this package. */
export type { Assertion, Audience, Identity, Limits, Scope } from './assertion.ts';
export { isAssertion, signAssertion, verifyAssertion } from './assertion.ts';
export type { Authenticator, AuthenticatorOptions, Refusal } from './authenticator.ts';
export { createAuthenticator, isRefusal } from './authenticator.ts';
export type { Callers, WatchOptions } from './callers.ts';
export { watchCallers } from './callers.ts';
export type { IdentityErrorCode } from './errors.ts';
export { IdentityError } from './errors.ts';
