/**
 * What a handshake through the public URL shows. In words of our own: the URL may lead to a stranger, whose reply has no place
 * in a status. Nobody is repaired because of it, and it is no part of Ready: what lies between is not the operator's.
 */
import type { HandshakeResult } from '@klingapi/probe';
import { publicUrl } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { KlingApiSpec } from '../resource/spec.ts';
import type { Exposure } from '../resource/status.ts';
import { ADDRESS_REFUSED } from './public-addresses.ts';

type Outcome = Pick<Exposure, 'result' | 'reason' | 'message'>;

/** @returns the MCP endpoint as clients outside have it; undefined without `expose` */
export function exposedEndpoint({ spec }: Pick<KlingApi, 'spec'>): string | undefined {
  const base = publicUrl(spec);
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}${spec.mcp.path}`;
}

/** Whether credentials may be sent there: encrypted, or to a host that our own Ingress or HTTPRoute answers for. */
export function mayCarryCredentials(url: string, { expose }: KlingApiSpec): boolean {
  const { protocol, hostname } = new URL(url);
  return (
    protocol === 'https:' ||
    expose?.ingress?.host === hostname ||
    expose?.httpRoute?.hostnames.includes(hostname) === true
  );
}

const FROM_INSIDE =
  'from inside the cluster, which says nothing of clients outside (a name that only resolves there, a load balancer that does not lead back in)';

/** Certificates that every client refuses. */
const INVALID: Record<string, string> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another host name',
};
/** Certificates of an authority that others may know. */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** @param url the endpoint that was asked */
export function judgeExposure(url: string, { verdict, diagnosis, evidence }: HandshakeResult): Outcome {
  const { status, error } = evidence;
  const answered = `POST ${url} answered HTTP ${status}`;
  if (status === null) return judgeSilence(url, diagnosis, error);
  if (verdict === 'AuthRequired') {
    const why =
      diagnosis === 'KeyInvalid'
        ? 'what stands there does not take the credentials of the operator'
        : 'it asks for credentials, which go over https or to a host of our own Ingress or HTTPRoute only';
    return { result: 'Inconclusive', reason: diagnosis ?? 'AuthRequired', message: `${answered}: ${why}` };
  }
  if (verdict !== 'Serving')
    return { result: 'Failed', reason: diagnosis ?? 'HttpError', message: `${answered}${hint(status)}` };
  if (status >= 400) return { result: 'Inconclusive', reason: 'Slow', message: `${answered}: it is busy` };
  return { result: 'Passed', reason: 'HandshakePassed', message: `${url} answers MCP` };
}

function judgeSilence(url: string, diagnosis: string | null, error: string | null): Outcome {
  const code = error ?? 'UNKNOWN';
  if (code === ADDRESS_REFUSED) {
    const message = `${url} leads to a loopback, link-local or metadata address, or has a name of the cluster's own, where the operator does not connect to`;
    return { result: 'Inconclusive', reason: 'AddressRefused', message };
  }
  const invalid = INVALID[code];
  if (invalid !== undefined)
    return {
      result: 'Failed',
      reason: 'CertificateInvalid',
      message: `the certificate of ${url} ${invalid} (${code})`,
    };
  if (UNKNOWN_AUTHORITY.has(code)) {
    const message = `the certificate of ${url} is of an authority that the operator does not know (${code}): where it is your own, give it to the operator as NODE_EXTRA_CA_CERTS (docs/ingress.md); a controller without the right Secret serves one of its own making`;
    return { result: 'Inconclusive', reason: 'CertificateUntrusted', message };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return {
      result: 'Failed',
      reason: 'WrongProtocol',
      message: `what answers at ${url} does not speak TLS (${code})`,
    };
  if (diagnosis === 'WrongProtocol')
    return {
      result: 'Failed',
      reason: 'WrongProtocol',
      message: `what answers at ${url} does not speak HTTP (${code})`,
    };
  return diagnosis === 'NameResolution'
    ? {
        result: 'Inconclusive',
        reason: 'NameResolution',
        message: `the name in ${url} does not resolve ${FROM_INSIDE}`,
      }
    : {
        result: 'Inconclusive',
        reason: 'UnreachableFromCluster',
        message: `${url} is not reached (${code}) ${FROM_INSIDE}`,
      };
}

function hint(status: number): string {
  if (status < 200) return '';
  if (status < 300) return ' with something other than MCP: another server has that name or path';
  if (status < 400) return ', a redirect, which is not followed: let spec.expose.url say where it leads';
  if (status === 404) return ': the controller has no route for it, or another server has that name';
  if (status === 405) return ': something other than the MCP server takes that path';
  return status >= 500 ? ': the controller gets no good reply from the MCP pods' : '';
}
