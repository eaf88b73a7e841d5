/**
 * Who calls. `assertion.ts`: the short signed statements that our workloads and
 * the operator send each other; `callers.ts`: the list of callers, a mounted
 * folder that is read again when it changes; `authenticator.ts`: both together,
 * from an Authorization header to a subject. `errors.ts`: every refusal.
 */
export type { Assertion, Audience, Identity, Limits, Scope } from './assertion.ts';
export { isAssertion, signAssertion, verifyAssertion } from './assertion.ts';
export type { Authenticator, AuthenticatorOptions, Refusal } from './authenticator.ts';
export { createAuthenticator, isRefusal } from './authenticator.ts';
export type { Callers, WatchOptions } from './callers.ts';
export { watchCallers } from './callers.ts';
export type { IdentityErrorCode } from './errors.ts';
export { IdentityError } from './errors.ts';
