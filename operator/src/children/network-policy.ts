/** What may reach the pods and what they may reach: one NetworkPolicy for each workload, with `networkPolicy.mode: Enabled`. */
import type {
  KubernetesObject,
  V1NetworkPolicyEgressRule,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
} from '@kubernetes/client-node';
import { mcpAuth } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import {
  API_PORT,
  type Component,
  childNames,
  MANAGEMENT_PORT,
  SANDBOX_PORT,
  selectorLabels,
} from '../resource/names.ts';
import type { NetworkPeer } from '../resource/network-policy.ts';
import { childMeta } from './child.ts';

/** Where the operator's own pods are. */
export interface OperatorPods {
  namespace: string;
  labels: Record<string, string>;
}

const tcp = (...ports: number[]): V1NetworkPolicyPort[] => ports.map((port) => ({ protocol: 'TCP', port }));

/** Where a name server is differs from cluster to cluster (on nodes, behind a cache), so only its port is fixed. */
const DNS: V1NetworkPolicyEgressRule = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

/** The vendor and its storage, but nothing private: an address that somebody passes on must not lead into the network. */
const PUBLIC: V1NetworkPolicyEgressRule = {
  to: [
    {
      ipBlock: {
        cidr: '0.0.0.0/0',
        except: [
          '10.0.0.0/8',
          '100.64.0.0/10',
          '127.0.0.0/8',
          '169.254.0.0/16',
          '172.16.0.0/12',
          '192.168.0.0/16',
          '198.18.0.0/15',
        ],
      },
    },
    { ipBlock: { cidr: '::/0', except: ['fc00::/7', 'fe80::/10'] } },
  ],
  ports: tcp(443),
};

/** Its keys may be under another name than the issuer, which may well be inside: so only ports are fixed. */
const issuerPorts = (issuer: string): number[] => [
  ...new Set([443, Number(new URL(issuer).port || (issuer.startsWith('http:') ? 80 : 443))]),
];

/** As it is on the wire; the client's type has another name for `from`. */
interface IngressRule {
  from: V1NetworkPolicyPeer[];
  ports: V1NetworkPolicyPort[];
}

export interface NetworkPolicy extends KubernetesObject {
  metadata: ReturnType<typeof childMeta>;
  spec: {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: ('Ingress' | 'Egress')[];
    ingress: IngressRule[];
    egress?: V1NetworkPolicyEgressRule[];
  };
}

/** An empty list of peers would mean everybody. */
const from = (peers: V1NetworkPolicyPeer[], ports: V1NetworkPolicyPort[]): IngressRule[] =>
  peers.length === 0 ? [] : [{ from: peers, ports }];

const given = (peers: NetworkPeer[]): V1NetworkPolicyPeer[] => peers as V1NetworkPolicyPeer[];

export function networkPolicy(klingApi: KlingApi, component: Component, operator: OperatorPods): NetworkPolicy {
  const { name } = klingApi.metadata;
  const { upstream, mcp, networkPolicy: wanted } = klingApi.spec;
  const pods = (of: Component): V1NetworkPolicyPeer => ({ podSelector: { matchLabels: selectorLabels(name, of) } });
  const theOperator: V1NetworkPolicyPeer = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': operator.namespace } },
    podSelector: { matchLabels: operator.labels },
  };
  const sandbox = upstream.provider === 'Sandbox';
  const oauth = mcpAuth(klingApi.spec) === 'oauth' ? mcp.auth?.oauth : undefined;
  const ingressTo = (port: number, inside: V1NetworkPolicyPeer[]): IngressRule[] => [
    ...from([...inside, ...given(wanted.ingressFrom)], tcp(port)),
    ...from(given(wanted.monitoringFrom), tcp(MANAGEMENT_PORT)),
    ...from([theOperator], tcp(port, MANAGEMENT_PORT)),
  ];
  const rules: Record<Component, { ingress: IngressRule[]; egress?: V1NetworkPolicyEgressRule[] }> = {
    mcp: {
      ingress: ingressTo(mcp.port, []),
      egress: [
        { to: [pods('api')], ports: tcp(API_PORT) },
        DNS,
        ...(oauth === undefined ? [] : [{ ports: tcp(...issuerPorts(oauth.issuer)) }]),
      ],
    },
    api: {
      // the sandbox calls back, as the vendor does
      ingress: ingressTo(API_PORT, [pods('mcp'), ...(sandbox ? [pods('sandbox')] : [])]),
      egress: [
        DNS,
        ...(sandbox ? [{ to: [pods('sandbox')], ports: tcp(SANDBOX_PORT) }] : []),
        PUBLIC,
        ...(wanted.egressTo.length === 0 ? [] : [{ to: given(wanted.egressTo) }]),
      ],
    },
    sandbox: { ingress: from([pods('api')], tcp(SANDBOX_PORT)) },
  };
  const { ingress, egress } = rules[component];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: childMeta(klingApi, childNames(name)[component], component),
    spec: {
      podSelector: { matchLabels: selectorLabels(name, component) },
      policyTypes: egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
      ingress,
      ...(egress === undefined ? {} : { egress }),
    },
  };
}
