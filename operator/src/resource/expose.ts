/** `spec.expose`: how the services are reached from outside the cluster. */
import { z } from 'zod';
import { atomicList, cel, int, objectName, required, stringMap, text } from './bounds.ts';

/** A host name; a wildcard would be no address. */
const host = () => required(253).regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/);

/** Scheme, host name or address (an IPv6 one in brackets), and a port up to 65535. */
const BASE_ADDRESS =
  /^https?:\/\/([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?$/;

const ingress = z.object({
  host: host().describe('Host name, such as kling.example.com'),
  className: objectName().optional().describe("Ingress class; the cluster's default without it"),
  tlsSecretName: objectName()
    .optional()
    .describe('Secret with the certificate, of type kubernetes.io/tls; plain HTTP without it'),
  annotations: stringMap(32).optional().describe('Annotations for the ingress controller or cert-manager'),
});

/** A parent as Gateway API has it. */
const parentRef = z.object({
  group: text(253).optional().describe('API group of the parent; gateway.networking.k8s.io without it'),
  kind: required(63).optional().describe('Kind of the parent; Gateway without it'),
  namespace: objectName().optional().describe("Namespace of the parent; the KlingApi's own without it"),
  name: objectName().describe('Name of the parent'),
  sectionName: objectName().optional().describe('Listener of the parent; every one that allows it without it'),
  port: int(1, 65535).optional().describe('Port of the listener'),
});

const httpRoute = z.object({
  parentRefs: atomicList(parentRef, 8, 1).describe('Gateways that route to here'),
  hostnames: atomicList(host(), 16, 1).describe(
    'Host names; the first is the address under which the services say they are',
  ),
  requestTimeoutSeconds: int(0, 86400)
    .optional()
    .describe(
      "Longest time that a request may take, in seconds, 0 for no limit; the gateway's own limit without it (15 s with Envoy Gateway), which may cut waits for results",
    ),
});

export const expose = z
  .object({
    url: required(2048)
      // no character that means something to a shell: people paste addresses into commands
      .regex(BASE_ADDRESS)
      .optional()
      .describe(
        'External base address, such as https://kling.example.com: for links, callbacks and OAuth. Without it https:// and the host of ingress (http:// where that has no tlsSecretName), or https:// and the first of httpRoute.hostnames',
      ),
    ingress: ingress.optional().describe('Makes an Ingress'),
    httpRoute: httpRoute.optional().describe('Makes an HTTPRoute of Gateway API, where the cluster has that kind'),
  })
  .meta(
    cel({
      rule: 'has(self.url) || has(self.ingress) || has(self.httpRoute)',
      message: 'expose needs url, ingress or httpRoute',
    }),
  );

export type IngressExposure = z.output<typeof ingress>;
export type RouteExposure = z.output<typeof httpRoute>;
