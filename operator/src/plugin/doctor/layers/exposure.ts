import type { IngressExposure } from '../../../resource/expose.ts';
import { exposedEndpoint } from '../../../verification/exposure.ts';
import type { Listed } from '../../cluster/klingapis.ts';
import { ago, span } from '../../terminal/duration.ts';
import type { Facts } from '../facts.ts';
import { broken, type Draft, note, ok, unknown, unseen, unused, worst } from '../finding.ts';
import { isServed } from './handshake.ts';

/** Certificates are renewed weeks before; one that ends within days was not. */
const SOON_MS = 7 * 86_400_000;

function addressesOf({ ingress }: Facts): string[] {
  if (ingress.kind !== 'Seen') return [];
  return (ingress.value.status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
}

function classFinding(facts: Facts, { className, host }: IngressExposure): Draft {
  const { classes, name, namespace, outside } = facts;
  const show = `kubectl describe ingress ${name} -n ${namespace}`;
  if (classes.kind === 'Seen') {
    const known = classes.value.names.join(', ') || 'none';
    if (className !== undefined && !classes.value.names.includes(className))
      return broken(
        'IngressClassMissing',
        `no ingress controller serves the class "${className}" of Ingress ${name}: the cluster has ${known}`,
        'kubectl get ingressclasses',
        `kubectl explain klingapi.spec.expose.ingress.className`,
      );
    if (className === undefined && !classes.value.hasDefault)
      return broken(
        'NoDefaultIngressClass',
        `Ingress ${name} names no class and none of the cluster (${known}) is the default`,
        'kubectl get ingressclasses',
      );
  }
  const reached = outside?.handshake?.verdict === 'Serving' || outside?.handshake?.verdict === 'AuthRequired';
  // some controllers never write an address, so its absence counts only where nobody answers either
  if (!reached && addressesOf(facts).length === 0)
    return broken(
      'NobodyServesIngress',
      `no ingress controller has taken up Ingress ${name} (class ${className === undefined ? 'of the cluster’s default' : `"${className}"`}): it has no address, and https://${host} does not lead to the MCP server`,
      show,
      'kubectl get ingressclasses',
    );
  return ok(`Ingress ${name} has the address ${addressesOf(facts).join(', ') || 'of its controller'}`);
}

function certificateFinding({ certificate, namespace, now }: Facts, { tlsSecretName, host }: IngressExposure): Draft {
  if (tlsSecretName === undefined) return ok('no TLS');
  const show = `kubectl describe secret ${tlsSecretName} -n ${namespace}`;
  if (certificate.kind === 'Absent')
    return broken(
      'TlsSecretMissing',
      `Secret ${tlsSecretName} with the certificate of ${host} does not exist in namespace ${namespace}`,
      `kubectl create secret tls ${tlsSecretName} -n ${namespace} --cert=FILE --key=FILE`,
      `kubectl get certificates -n ${namespace}`,
    );
  if (certificate.kind !== 'Seen') return unseen(`Secret ${tlsSecretName}`, certificate);
  const { type, lacks, expiresAt, coversHost } = certificate.value;
  if (lacks.length > 0 || type !== 'kubernetes.io/tls')
    return broken(
      'TlsSecretInvalid',
      `Secret ${tlsSecretName} is no certificate: type ${type}${lacks.map((key) => `, without ${key}`).join('')}`,
      show,
    );
  if (expiresAt === undefined)
    return broken('TlsSecretInvalid', `what Secret ${tlsSecretName} holds as tls.crt is no certificate`, show);
  if (expiresAt <= now)
    return broken('CertificateExpired', `the certificate of ${host} has ended ${span(now - expiresAt)} ago`, show);
  if (!coversHost)
    return broken(
      'CertificateMismatch',
      `the certificate in Secret ${tlsSecretName} is for other names than ${host}`,
      show,
    );
  if (expiresAt - now < SOON_MS)
    return note('CertificateEndsSoon', `the certificate of ${host} ends in ${span(expiresAt - now)}`, show);
  return ok(`the certificate of ${host} is good for ${span(expiresAt - now)}`);
}

function routeFinding({ route, name, namespace }: Facts): Draft {
  if (route.kind === 'Absent')
    return broken(
      'RouteMissing',
      `HTTPRoute ${name} does not exist: the cluster may not have Gateway API`,
      `kubectl kling status ${name} -n ${namespace}`,
    );
  if (route.kind !== 'Seen') return unseen(`HTTPRoute ${name}`, route);
  const show = `kubectl describe httproute ${name} -n ${namespace}`;
  const refused = route.value.parents.find(({ accepted }) => !accepted);
  if (refused !== undefined)
    return broken(
      'RouteNotAccepted',
      `Gateway ${refused.name} does not take HTTPRoute ${name}: ${refused.message}`,
      show,
    );
  if (route.value.parents.length === 0)
    return broken('NobodyServesRoute', `no Gateway has taken up HTTPRoute ${name}`, show, 'kubectl get gateways -A');
  return ok(`HTTPRoute ${name} is accepted by ${route.value.parents.map((parent) => parent.name).join(', ')}`);
}

/** The public address from this machine; what is wrong further in is not its fault. */
function outsideFinding(facts: Facts): Draft {
  const { outside } = facts;
  if (outside === undefined) return ok('');
  if (!isServed(facts)) return unknown('NotReached', `${outside.url} was not judged: no pod behind it serves`);
  const { hostname } = new URL(outside.url);
  const addresses = addressesOf(facts);
  if (!outside.resolves)
    return broken(
      'NameUnknown',
      `${hostname} does not resolve from this machine`,
      addresses.length === 0
        ? `make a DNS record for ${hostname}`
        : `make a DNS record for ${hostname} that leads to ${addresses.join(' or ')}`,
    );
  const { handshake } = outside;
  if (handshake === undefined) return unknown('NotReached', `${outside.url} was not asked`);
  if (handshake.verdict === 'Serving') return ok(`${outside.url} speaks MCP`);
  if (handshake.verdict === 'AuthRequired') return ok(`${outside.url} answers, and asks for a key`);
  return broken(
    'PublicAddressBroken',
    `the pods serve, but ${outside.url} does not from this machine: ${handshake.message}`,
    `curl -v ${outside.url}`,
  );
}

/** What the operator saw there from inside the cluster; clients may stand where it does. */
function fromInside({ now }: Facts, klingApi: Listed): Draft[] {
  const found = klingApi.status?.exposure;
  if (found?.result !== 'Failed' || found.url !== exposedEndpoint(klingApi)) return [];
  return [
    note(
      found.reason,
      `the public address fails for the operator (first seen ${ago(found.since, now)}): ${found.message}`,
      `curl -v ${found.url}`,
    ),
  ];
}

export function exposure(facts: Facts): Draft {
  const { klingApi, ingress, name, namespace } = facts;
  if (klingApi.kind !== 'Seen') return unknown('NotSeen', 'whether it is exposed is not known');
  const { expose } = klingApi.value.spec;
  if (expose === undefined) return unused('not exposed: it is reached from inside the cluster and by port-forward');
  const outside = outsideFinding(facts);
  const parts: Draft[] = [];
  if (expose.ingress !== undefined) {
    if (ingress.kind === 'Absent')
      parts.push(
        broken(
          'IngressMissing',
          `Ingress ${name} does not exist`,
          `kubectl events -n ${namespace} --for klingapi/${name}`,
        ),
      );
    else {
      if (ingress.kind !== 'Seen') parts.push(unseen(`Ingress ${name}`, ingress));
      parts.push(certificateFinding(facts, expose.ingress), classFinding(facts, expose.ingress));
    }
  }
  if (expose.httpRoute !== undefined) parts.push(routeFinding(facts));
  parts.push(...fromInside(facts, klingApi.value));
  const whole = worst(parts, outside);
  return whole.state === 'Ok' ? outside : whole;
}
