/** `spec.networkPolicy`: who may reach the pods, and what the API may reach besides. Peers are those of a NetworkPolicy. */
import { z } from 'zod';
import { atomicList, cel, required, stringMap, text } from './bounds.ts';

/** Label selector of Kubernetes. */
const labelSelector = () =>
  z.object({
    matchLabels: stringMap(32, 63).optional().describe('Labels that have to be there with these values'),
    matchExpressions: atomicList(
      z.object({
        key: required(317).describe('Label key'),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).describe('How the values are compared'),
        values: atomicList(text(63), 32).optional().describe('Values, for In and NotIn'),
      }),
      16,
    )
      .optional()
      .describe('Conditions that all have to hold'),
  });

/** A range of addresses; whether it is one in every detail is for the API server to say. */
const cidr = () =>
  required(43).regex(
    /^([0-9]{1,3}(\.[0-9]{1,3}){3}\/([0-9]|[12][0-9]|3[0-2])|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\/[0-9]{1,3})$/,
  );

const peer = z
  .object({
    podSelector: labelSelector()
      .optional()
      .describe("Pods by their labels, in the namespaces of namespaceSelector or, without it, in the KlingApi's own"),
    namespaceSelector: labelSelector().optional().describe('Namespaces by their labels; {} is every one'),
    ipBlock: z
      .object({
        cidr: cidr().describe('Range of addresses, such as 203.0.113.0/24'),
        except: atomicList(cidr(), 32).optional().describe('Ranges within it that are left out'),
      })
      .optional()
      .describe('Addresses outside the cluster'),
  })
  .meta(
    cel({
      rule: 'has(self.ipBlock) != (has(self.podSelector) || has(self.namespaceSelector))',
      message: 'a peer is either an ipBlock, or a podSelector, a namespaceSelector or both',
    }),
  );

export const networkPolicy = z
  .object({
    mode: z
      .enum(['Disabled', 'Enabled'])
      .default('Disabled')
      .describe(
        'Enabled lets in and out only what is needed and what is named here; it takes a network that enforces it',
      ),
    ingressFrom: atomicList(peer, 32)
      .default([])
      .describe('Who may call MCP and API: clients, the ingress controller or gateway; nobody from outside without it'),
    monitoringFrom: atomicList(peer, 32)
      .default([])
      .describe('Who may read the metrics of MCP and API, on the management port alone'),
    egressTo: atomicList(peer, 32)
      .default([])
      .describe(
        'What the API may reach on any port, besides DNS, the sandbox and public addresses on port 443: the database, an object store or endpoint within the cluster, a proxy',
      ),
  })
  .prefault({});

export type NetworkPeer = z.output<typeof peer>;
