/** What the doctor knows, as plain data: everything after `gather.ts` works with this alone. */
import type { HandshakeResult, ProbeReport } from '@klingapi/probe';
import type { V1Deployment, V1Ingress, V1Pod, V1Service } from '@kubernetes/client-node';
import type { Listed, Unreadable } from '../cluster/klingapis.ts';
import type { Seen } from '../cluster/seen.ts';

export interface OperatorFacts {
  readonly deployment: V1Deployment;
  readonly pods: Seen<readonly V1Pod[]>;
  readonly lease: Seen<LeaseFacts>;
}

export interface LeaseFacts {
  readonly holder: string;
  /** Milliseconds. */
  readonly renewedAt: number;
  readonly durationMs: number;
}

export interface CertificateFacts {
  readonly type: string;
  /** Keys that a TLS Secret has to have, and this one does not. */
  readonly lacks: readonly string[];
  /** Undefined where there is no certificate that can be read. */
  readonly expiresAt: number | undefined;
  readonly coversHost: boolean;
}

export interface ClassFacts {
  readonly names: readonly string[];
  readonly hasDefault: boolean;
}

export interface RouteFacts {
  readonly parents: readonly { name: string; accepted: boolean; message: string }[];
}

/** What came of asking at the public address from this machine. */
export interface PublicFacts {
  readonly url: string;
  readonly resolves: boolean;
  readonly handshake: HandshakeResult | undefined;
}

export interface ServiceFacts {
  readonly service: Seen<V1Service>;
  /** Addresses that take traffic. */
  readonly endpoints: Seen<readonly string[]>;
}

/** What one MCP pod showed just now, through the API server. */
export interface PodHandshake {
  readonly pod: string;
  readonly own: HandshakeResult | undefined;
  /** The pod's own, done when it was asked. */
  readonly report: ProbeReport | undefined;
  /** Why there is neither. */
  readonly trouble: Seen<never> | undefined;
}

export interface ApiHealth {
  readonly pod: string;
  readonly ok: boolean;
  readonly message: string;
}

export interface PodEvent {
  readonly pod: string;
  readonly reason: string;
  readonly note: string;
}

export interface Facts {
  readonly name: string;
  readonly namespace: string;
  readonly server: string;
  /** Milliseconds. */
  readonly now: number;
  readonly version: Seen<string>;
  readonly isServed: Seen<boolean>;
  readonly operators: Seen<readonly OperatorFacts[]>;
  readonly klingApi: Seen<Listed> | Unreadable;
  readonly ingress: Seen<V1Ingress>;
  readonly classes: Seen<ClassFacts>;
  readonly certificate: Seen<CertificateFacts>;
  readonly route: Seen<RouteFacts>;
  readonly outside: PublicFacts | undefined;
  readonly mcp: {
    readonly service: ServiceFacts;
    readonly pods: Seen<readonly V1Pod[]>;
    readonly workload: Seen<Workload>;
  };
  readonly api: {
    readonly service: ServiceFacts;
    readonly pods: Seen<readonly V1Pod[]>;
    readonly workload: Seen<Workload>;
  };
  readonly sandbox: Seen<readonly V1Pod[]>;
  readonly events: Seen<readonly PodEvent[]>;
  readonly handshakes: readonly PodHandshake[];
  readonly health: Seen<ApiHealth>;
}

/** As much of a Deployment or StatefulSet as both have. */
export interface Workload {
  readonly wanted: number;
  readonly conditions: readonly { type: string; status: string; message?: string }[];
}
