/** Values that say who reaches the operator, and whom it reaches. */
import { z } from 'zod';
import { strings } from './rights.ts';

const list = z.array(z.record(z.string(), z.unknown()));

export const service = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('A Service for the management port (health and metrics); `helm test` and scrapers ask there.'),
  annotations: strings.default({}).describe('Its annotations.'),
  labels: strings.default({}).describe('Its labels, beside those of the chart.'),
});

export const networkPolicy = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Makes the NetworkPolicy.'),
    monitoringFrom: list
      .default([])
      .describe(
        'Peers that may read the management port, for example [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: monitoring } } }]. None without it, but the kubelet and `helm test`.',
      ),
    apiServer: z
      .strictObject({
        to: list
          .default([])
          .describe(
            'Peers, for example [{ ipBlock: { cidr: 10.0.0.1/32 } }]. Any address without it, as the API server is no pod in most clusters.',
          ),
        ports: z
          .array(z.int().min(1).max(65_535))
          .default([443, 6443])
          .describe('Its ports, behind the Service `kubernetes`.'),
      })
      .describe('Where the API server is.'),
    extraIngress: list.default([]).describe('More rules of ingress.'),
    extraEgress: list
      .default([])
      .describe(
        'More rules of egress, for example to the collector of `tracing.endpoint`, or to the ingress controller, without which the handshake through `spec.expose` stays Inconclusive.',
      ),
  })
  .describe(
    'A NetworkPolicy for the operator. It lets the operator reach name servers (port 53), the API server, and the pods that it makes, on every port, because they choose theirs.',
  );
