/** Calls to the API server, each with a deadline. Every failure is a `KubeError`. */
import type { KubeConfig, KubernetesListObject, KubernetesObject } from '@kubernetes/client-node';
import { z } from 'zod';
import { encodeBody } from './body.ts';
import { type CallRequest, createCaller } from './caller.ts';
import { type Clock, systemClock } from './clock.ts';
import { isNotFound, KubeError } from './errors.ts';
import { type Kind, kindOf, pathOf } from './kinds.ts';
import type { KubeMetrics } from './metrics.ts';
import { discoverySchema, listSchema, parsed, parseObject, versionSchema, watchEvents } from './reply.ts';
import { createTransport, noAnswer, rejection } from './transport.ts';

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
  /** Only lines of the last so many seconds, by the clock of the node; at least 1. */
  readonly sinceSeconds?: number | undefined;
  /** The container before its last restart. */
  readonly previous?: boolean | undefined;
  /** Each line begins with its time, RFC 3339 with nanoseconds. */
  readonly timestamps?: boolean | undefined;
}

export interface FollowPodLogOptions extends Pick<PodLogOptions, 'namespace' | 'pod' | 'container' | 'tailLines'> {
  readonly sinceSeconds?: number | undefined;
  /** RFC 3339, by the clock of the node and in whole seconds; not together with `sinceSeconds`. */
  readonly sinceTime?: string | undefined;
  readonly timestamps?: boolean | undefined;
  readonly signal: AbortSignal;
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
  /** Merge patch (RFC 7386): lists are replaced as one. @returns the object as it then is */
  mergePatch(
    ref: ObjectRef,
    change: object,
    options: CallOptions & { fieldManager: string },
  ): Promise<KubernetesObject>;
  create<T extends KubernetesObject>(object: T, options?: CallOptions): Promise<T>;
  /** PUT: `metadata.resourceVersion` of the object guards it. */
  replace<T extends KubernetesObject>(object: T, options?: CallOptions): Promise<T>;
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  podLog(options: PodLogOptions): Promise<string>;
  /** The text of a log as it comes, until the container ends; @throws KubeError, also when `signal` is aborted */
  followPodLog(options: FollowPodLogOptions): AsyncGenerator<string, void, undefined>;
  /** @returns the resources of `v1`, `apps/v1` …; none where the cluster does not serve that group */
  discover(groupVersion: string, options?: CallOptions): Promise<readonly DiscoveredResource[]>;
  /** The OpenAPI document (v3) of `klingapi.dev/v1alpha1` …: a 404 where the cluster does not serve that group. */
  openApi(groupVersion: string, options?: CallOptions): Promise<object>;
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
  /** Ends every call. */
  readonly signal?: AbortSignal | undefined;
  /** Waited for before each call; it may take longer than any deadline, as somebody who logs in does. */
  readonly prepare?: (() => Promise<void>) | undefined;
}

export function createClient(kubeConfig: KubeConfig, options: ClientOptions = {}): KubeClient {
  const { clock = systemClock, requestTimeoutMs = 10_000, userAgent = 'kling-operator', metrics } = options;
  const transport = createTransport(kubeConfig, userAgent);
  const { signal: ending, prepare } = options;
  const { call, open, begin } = createCaller(transport, { clock, requestTimeoutMs, metrics, signal: ending, prepare });

  async function callJson(request: CallRequest, options?: CallOptions): Promise<object> {
    const text = await call(request, options);
    return parseObject(text, `${request.method} ${request.path}`);
  }

  const put = async <T extends KubernetesObject>(
    request: Omit<CallRequest, 'body'>,
    object: T,
    options?: CallOptions,
  ): Promise<T> => {
    const reply: unknown = await callJson(
      { contentType: 'application/json', ...request, body: encodeBody(object) },
      options,
    );
    // the API server answers with an object of the kind that it was sent: nothing here could tell better
    return reply as T;
  };

  const pathTo = (object: KubernetesObject, subresource?: string, withName = true): string =>
    pathOf(kindOf(object.apiVersion, object.kind), {
      namespace: object.metadata?.namespace,
      name: withName ? object.metadata?.name : undefined,
      subresource,
    });

  return {
    async get<T extends KubernetesObject = KubernetesObject>(ref: ObjectRef, callOptions?: CallOptions) {
      const reply: unknown = await callJson(
        { method: 'GET', path: pathOf(kindOf(ref.apiVersion, ref.kind), ref) },
        callOptions,
      );
      return reply as T;
    },
    async list<T extends KubernetesObject = KubernetesObject>(kind: Kind, listOptions: ListOptions = {}) {
      const { namespace, labelSelector, fieldSelector, limit, continue: token, resourceVersion } = listOptions;
      const search = query({ labelSelector, fieldSelector, limit, continue: token, resourceVersion });
      const reply = listSchema.safeParse(
        await callJson({ method: 'GET', path: `${pathOf(kind, { namespace })}${search}` }, listOptions),
      );
      if (!reply.success)
        throw new KubeError({
          code: 'Malformed',
          message: `List of ${kind.plural} is none: ${z.prettifyError(reply.error)}`,
        });
      const { items, metadata } = reply.data;
      for (const item of items) {
        item['apiVersion'] = kind.apiVersion;
        item['kind'] = kind.kind;
      }
      const list: unknown = { apiVersion: kind.apiVersion, kind: `${kind.kind}List`, metadata, items };
      return list as KubernetesListObject<T>;
    },
    async *watch(kind, { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal, onBytes }) {
      const search = query({
        watch: true,
        allowWatchBookmarks: true,
        labelSelector,
        fieldSelector,
        resourceVersion,
        timeoutSeconds,
      });
      const path = `${pathOf(kind, { namespace })}${search}`;
      const name = `Watch of ${kind.plural}`;
      const deadline = await begin(requestTimeoutMs, signal);
      try {
        const reply = await open({ method: 'GET', path }, deadline.signal);
        if (reply.status >= 400) throw rejection(reply.status, await reply.body.text(), name, reply.retryAfterMs);
        deadline.met();
        onBytes?.();
        yield* watchEvents(reply.body, name, onBytes);
      } catch (error) {
        throw noAnswer(error, name, deadline.ended());
      } finally {
        deadline.clear();
      }
    },
    apply(object, { fieldManager, force, subresource, dryRun, ...callOptions }) {
      const search = query({
        fieldManager,
        force: force === true ? true : undefined,
        dryRun: dryRun === true ? 'All' : undefined,
      });
      return put(
        {
          method: 'PATCH',
          path: `${pathTo(object, subresource)}${search}`,
          contentType: 'application/apply-patch+yaml',
        },
        object,
        callOptions,
      );
    },
    mergePatch: (ref, change, { fieldManager, ...callOptions }) =>
      put<KubernetesObject>(
        {
          method: 'PATCH',
          path: `${pathOf(kindOf(ref.apiVersion, ref.kind), ref)}${query({ fieldManager })}`,
          contentType: 'application/merge-patch+json',
        },
        change,
        callOptions,
      ),
    create: (object, callOptions) =>
      put({ method: 'POST', path: pathTo(object, undefined, false) }, object, callOptions),
    replace: (object, callOptions) => put({ method: 'PUT', path: pathTo(object) }, object, callOptions),
    async delete(ref, { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, ...callOptions } = {}) {
      const guarded = uid !== undefined || resourceVersion !== undefined;
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(guarded ? { preconditions: { uid, resourceVersion } } : {}),
        propagationPolicy,
        gracePeriodSeconds,
      });
      const path = pathOf(kindOf(ref.apiVersion, ref.kind), ref);
      await call({ method: 'DELETE', path, body, contentType: 'application/json' }, callOptions);
    },
    podLog({ namespace, pod, container, tailLines, limitBytes, sinceSeconds, previous, timestamps, ...callOptions }) {
      const path = pathOf(kindOf('v1', 'Pod'), { namespace, name: pod, subresource: 'log' });
      const search = query({
        container,
        tailLines,
        limitBytes,
        sinceSeconds,
        previous: previous === true ? true : undefined,
        timestamps: timestamps === true ? true : undefined,
      });
      return call({ method: 'GET', path: `${path}${search}`, accept: '*/*' }, callOptions);
    },
    async *followPodLog({ namespace, pod, container, signal, ...from }) {
      const path = pathOf(kindOf('v1', 'Pod'), { namespace, name: pod, subresource: 'log' });
      const search = query({ container, follow: true, ...from });
      const name = `Log of ${pod}`;
      const deadline = await begin(requestTimeoutMs, signal);
      try {
        const reply = await open({ method: 'GET', path: `${path}${search}`, accept: '*/*' }, deadline.signal);
        if (reply.status >= 400) throw rejection(reply.status, await reply.body.text(), name, reply.retryAfterMs);
        deadline.met();
        // a character may come in two pieces
        const decoder = new TextDecoder();
        for await (const chunk of reply.body)
          if (chunk instanceof Uint8Array) yield decoder.decode(chunk, { stream: true });
      } catch (error) {
        throw noAnswer(error, name, deadline.ended());
      } finally {
        deadline.clear();
      }
    },
    async discover(groupVersion, callOptions) {
      const path = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
      const reply = await callJson({ method: 'GET', path }, callOptions).catch((error: unknown) =>
        isNotFound(error) ? { resources: [] } : Promise.reject(error),
      );
      return parsed(discoverySchema, reply, path).resources;
    },
    openApi: (groupVersion, callOptions) =>
      callJson({ method: 'GET', path: `/openapi/v3/apis/${groupVersion}` }, callOptions),
    async version(callOptions) {
      return parsed(versionSchema, await callJson({ method: 'GET', path: '/version' }, callOptions), '/version');
    },
    close: () => transport.close(),
  };
}

function query(values: Record<string, string | number | boolean | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
