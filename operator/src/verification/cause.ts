/** Why a check did not pass, in one word of the closed list of diagnoses. */
import type { Diagnosis } from '../remediation/diagnoses.ts';

/** Codes of our API (`services/api`) whose cause lies with Kling. The rest of `upstream_…` is a refusal. */
const UPSTREAM: Record<string, Diagnosis> = {
  upstream_key_invalid: 'UpstreamKeyInvalid',
  upstream_balance: 'UpstreamBalanceEmpty',
  upstream_rate_limit: 'UpstreamRateLimited',
  upstream_concurrency: 'UpstreamRateLimited',
  upstream_unavailable: 'UpstreamDown',
  upstream_timeout: 'UpstreamDown',
  upstream_unreachable: 'UpstreamDown',
  upstream_malformed: 'UpstreamDown',
  upstream_outcome_unknown: 'UpstreamDown',
};

/** @param code of a problem or of a task's error @returns undefined where Kling is not the cause */
export const upstreamCause = (code: string | undefined): Diagnosis | undefined =>
  code?.startsWith('upstream_') === true ? (UPSTREAM[code] ?? 'UpstreamRefused') : undefined;

/** What a request met that got no reply, from the system's error code. */
const TRANSPORT: Record<string, [Diagnosis, string]> = {
  ENOTFOUND: ['NameResolution', 'the name of the Service could not be resolved'],
  EAI_AGAIN: ['NameResolution', 'the name of the Service could not be resolved'],
  ETIMEDOUT: ['ApiDown', 'no connection came about in time'],
  EHOSTUNREACH: ['NetworkBlocked', 'there is no way to the Service'],
  ENETUNREACH: ['NetworkBlocked', 'there is no way to the Service'],
  ECONNREFUSED: ['ApiDown', 'the connection was refused'],
  ECONNRESET: ['ApiDown', 'the connection was closed without a reply'],
  UND_ERR_SOCKET: ['ApiDown', 'the connection was closed without a reply'],
};

export interface TransportCause {
  reason: Diagnosis;
  message: string;
}

/** @returns undefined for what is no failure of a connection */
export function transportCause(error: unknown): TransportCause | undefined {
  if (error instanceof Error && error.name === 'TimeoutError')
    return { reason: 'ApiDown', message: 'there was no reply within the time limit' };
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const inner = at instanceof AggregateError ? at.errors[0] : at;
    const code = inner instanceof Error && 'code' in inner && typeof inner.code === 'string' ? inner.code : '';
    const found = TRANSPORT[code] ?? (code.startsWith('UND_ERR_') ? TRANSPORT['ECONNRESET'] : undefined);
    if (found !== undefined) return { reason: found[0], message: `${found[1]} (${code})` };
  }
  return undefined;
}

/** The operator's own trouble: it says nothing of what was checked. */
export const isOwnTrouble = (reason: string | undefined): boolean =>
  reason === 'NameResolution' || reason === 'NetworkBlocked';
