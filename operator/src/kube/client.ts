/** Calls to the API server, each with a deadline. Every failure is a `KubeError`. */
import type { KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import type { Clock } from './clock.ts';
import type { Kind } from './kinds.ts';
import type { KubeMetrics } from './metrics.ts';

export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent for kinds without namespaces. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Of the whole call, retries included; the client's `requestTimeoutMs` where absent. */
  readonly timeoutMs?: number | undefined;
}

export interface ListOptions extends CallOptions {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface WatchOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** Told of every chunk that arrives, and of the reply's head. */
  readonly onBytes?: (() => void) | undefined;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubernetesObject;
}

export interface ApplyOptions extends CallOptions {
  readonly fieldManager: string;
  readonly force?: boolean | undefined;
  readonly subresource?: 'status' | 'scale' | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  /** Only the object with this uid; another of that name is a 409. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

export interface PodLogOptions extends CallOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly tailLines?: number | undefined;
  readonly limitBytes?: number | undefined;
  /** The container before its last restart. */
  readonly previous?: boolean | undefined;
}

export interface DiscoveredResource {
  /** Plural, with the subresource after a slash: `pods/log`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface KubeVersion {
  /** e.g. `v1.34.4` */
  readonly gitVersion: string;
  readonly major: string;
  readonly minor: string;
}

export interface KubeClient {
  get<T extends KubernetesObject = KubernetesObject>(ref: ObjectRef, options?: CallOptions): Promise<T>;
  /** One page. Items carry `apiVersion` and `kind`, unlike those on the wire. */
  list<T extends KubernetesObject = KubernetesObject>(
    kind: Kind,
    options?: ListOptions,
  ): Promise<KubernetesListObject<T>>;
  /** Ends when the server ends it; @throws KubeError also for an ERROR event (410: `isGone`) */
  watch(kind: Kind, options: WatchOptions): AsyncGenerator<WatchEvent, void, undefined>;
  /** Server-side apply. @returns the object as it then is */
  apply<T extends KubernetesObject>(object: T, options: ApplyOptions): Promise<T>;
  create<T extends KubernetesObject>(object: T, options?: CallOptions): Promise<T>;
  /** PUT: `metadata.resourceVersion` of the object guards it. */
  replace<T extends KubernetesObject>(object: T, options?: CallOptions): Promise<T>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  podLog(options: PodLogOptions): Promise<string>;
  /** @returns the resources of `v1`, `apps/v1` …; none where the cluster does not serve that group */
  discover(groupVersion: string, options?: CallOptions): Promise<readonly DiscoveredResource[]>;
  version(options?: CallOptions): Promise<KubeVersion>;
  /** Ends all connections. */
  close(): Promise<void>;
}

export interface ClientOptions {
  readonly metrics?: Pick<KubeMetrics, 'restRequest'> | undefined;
  readonly userAgent?: string | undefined;
  /** Deadline of a call, in milliseconds (10 s). */
  readonly requestTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

export declare function createClient(kubeConfig: KubeConfig, options?: ClientOptions): KubeClient;
