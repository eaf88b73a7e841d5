/** Collects the facts with the rights of the person; what may not be seen becomes a fact too. */

import { X509Certificate } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { isReady as isServing } from '@klingapi/probe';
import type { V1Deployment, V1Ingress, V1IngressClass, V1Secret, V1StatefulSet } from '@kubernetes/client-node';
import { z } from 'zod';
import { KINDS } from '../../kube/kinds.ts';
import { apiWorkload } from '../../resource/absent.ts';
import { API_VERSION, KIND } from '../../resource/klingapi.ts';
import { type Component, childNames } from '../../resource/names.ts';
import { callerHeaders } from '../cluster/caller-key.ts';
import { type Listed, seeKlingApi } from '../cluster/klingapis.ts';
import type { Kube } from '../cluster/kubeconfig.ts';
import { findOperators, isRunning, operatorPods, podsOf } from '../cluster/pods.ts';
import { ABSENT, failed, given, look, type Seen, seen } from '../cluster/seen.ts';
import { askForHandshake, askForHealth } from './ask.ts';
import type {
  CertificateFacts,
  ClassFacts,
  Facts,
  LeaseFacts,
  OperatorFacts,
  PodEvent,
  RouteFacts,
  ServiceFacts,
  Workload,
} from './facts.ts';
import { outsideFacts } from './outside.ts';

/** Each takes two connections through the API server. */
const MOST_PODS = 4;

const leaseSchema = z.object({
  spec: z.object({
    holderIdentity: z.string().default(''),
    renewTime: z.string(),
    leaseDurationSeconds: z.number().default(15),
  }),
});
const sliceSchema = z.object({
  endpoints: z
    .array(
      z.object({ addresses: z.array(z.string()), conditions: z.object({ ready: z.boolean().nullish() }).nullish() }),
    )
    .nullish(),
});
const routeSchema = z.object({
  status: z
    .object({
      parents: z.array(
        z.object({
          parentRef: z.object({ name: z.string() }),
          conditions: z
            .array(z.object({ type: z.string(), status: z.string(), message: z.string().default('') }))
            .default([]),
        }),
      ),
    })
    .optional(),
});
const eventSchema = z.object({
  type: z.string().optional(),
  reason: z.string().default(''),
  note: z.string().default(''),
  regarding: z.object({ kind: z.string().optional(), name: z.string().optional() }).default({}),
});

const pick = <T, U>(thing: Seen<T>, take: (value: T) => U): Seen<U> =>
  thing.kind === 'Seen' ? seen(take(thing.value)) : thing;
const get = (
  kube: Kube,
  apiVersion: string,
  kind: string,
  name: string,
  namespace: string | undefined = kube.namespace,
) => look(() => kube.client.get({ apiVersion, kind, name, namespace }));

async function operatorFacts(kube: Kube, hint: string | undefined): Promise<Facts['operators']> {
  const found = await look(() => findOperators(kube, kube.namespace, hint));
  if (found.kind !== 'Seen') return found;
  return seen(
    await Promise.all(
      found.value.map(async (deployment): Promise<OperatorFacts> => {
        const { name = '', namespace = '' } = deployment.metadata ?? {};
        const [pods, lease] = await Promise.all([
          look(() => operatorPods(kube, namespace)),
          get(kube, 'coordination.k8s.io/v1', 'Lease', name, namespace),
        ]);
        return { deployment, pods, lease: leaseFacts(lease) };
      }),
    ),
  );
}

function leaseFacts(thing: Seen<unknown>): Seen<LeaseFacts> {
  if (thing.kind !== 'Seen') return thing;
  const parsed = leaseSchema.safeParse(thing.value);
  if (!parsed.success) return failed('the Lease has no holder');
  const { holderIdentity, renewTime, leaseDurationSeconds } = parsed.data.spec;
  return seen({ holder: holderIdentity, renewedAt: Date.parse(renewTime), durationMs: leaseDurationSeconds * 1_000 });
}

async function serviceFacts(kube: Kube, name: string): Promise<ServiceFacts> {
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const [service, slices] = await Promise.all([
    get(kube, 'v1', 'Service', name),
    look(() => kube.client.list(KINDS.EndpointSlice, { namespace: kube.namespace, labelSelector })),
  ]);
  const endpoints = pick(slices, ({ items }) =>
    items.flatMap((slice) =>
      (sliceSchema.parse(slice).endpoints ?? []).flatMap(({ addresses, conditions }) =>
        conditions?.ready === false ? [] : addresses,
      ),
    ),
  );
  return { service, endpoints };
}

async function workload(kube: Kube, kind: 'Deployment' | 'StatefulSet', name: string): Promise<Seen<Workload>> {
  const thing = await look(() =>
    kube.client.get<V1Deployment | V1StatefulSet>({ apiVersion: 'apps/v1', kind, namespace: kube.namespace, name }),
  );
  return pick(thing, ({ spec, status }) => ({
    wanted: spec?.replicas ?? 1,
    conditions: (status?.conditions ?? []).map(({ type, status: state, message }) => ({
      type,
      status: state,
      ...(message === undefined ? {} : { message }),
    })),
  }));
}

async function part(kube: Kube, name: string, component: Component, kind: 'Deployment' | 'StatefulSet') {
  const child = childNames(name)[component];
  const [service, pods, state] = await Promise.all([
    serviceFacts(kube, child),
    look(() => podsOf(kube, name, component)),
    workload(kube, kind, child),
  ]);
  return { service, pods, workload: state };
}

function certificateFacts(secret: V1Secret, host: string): CertificateFacts {
  const data = secret.data ?? {};
  const lacks = ['tls.crt', 'tls.key'].filter((key) => (data[key] ?? '') === '');
  const type = secret.type ?? 'Opaque';
  try {
    const certificate = new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64'));
    return {
      type,
      lacks,
      expiresAt: Date.parse(certificate.validTo),
      coversHost: certificate.checkHost(host) !== undefined,
    };
  } catch {
    return { type, lacks, expiresAt: undefined, coversHost: false };
  }
}

async function exposureFacts(
  kube: Kube,
  klingApi: Listed | undefined,
): Promise<Pick<Facts, 'ingress' | 'classes' | 'certificate' | 'route'>> {
  const { ingress, httpRoute } = klingApi?.spec.expose ?? {};
  const name = klingApi?.metadata.name ?? '';
  const { tlsSecretName, host = '' } = ingress ?? {};
  const [seenIngress, classes, secret, route] = await Promise.all([
    ingress === undefined
      ? ABSENT
      : look(() =>
          kube.client.get<V1Ingress>({
            apiVersion: 'networking.k8s.io/v1',
            kind: 'Ingress',
            namespace: kube.namespace,
            name,
          }),
        ),
    ingress === undefined ? ABSENT : look(() => kube.client.list<V1IngressClass>(KINDS.IngressClass)),
    tlsSecretName === undefined
      ? ABSENT
      : look(() =>
          kube.client.get<V1Secret>({
            apiVersion: 'v1',
            kind: 'Secret',
            namespace: kube.namespace,
            name: tlsSecretName,
          }),
        ),
    httpRoute === undefined ? ABSENT : get(kube, 'gateway.networking.k8s.io/v1', 'HTTPRoute', name),
  ]);
  return {
    ingress: seenIngress,
    classes: pick(
      classes,
      ({ items }): ClassFacts => ({
        names: items.flatMap(({ metadata }) => metadata?.name ?? []).sort(),
        hasDefault: items.some(
          ({ metadata }) => metadata?.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true',
        ),
      }),
    ),
    certificate: pick(secret, (value) => certificateFacts(value, host)),
    route: pick(
      route,
      (value): RouteFacts => ({
        parents: (routeSchema.safeParse(value).data?.status?.parents ?? []).map(({ parentRef, conditions }) => {
          const accepted = conditions.find(({ type }) => type === 'Accepted');
          return {
            name: parentRef.name,
            accepted: accepted?.status === 'True',
            message: accepted?.message ?? 'not accepted yet',
          };
        }),
      }),
    ),
  };
}

async function podEvents(kube: Kube): Promise<Seen<readonly PodEvent[]>> {
  const events = await look(() => kube.client.list(KINDS.Event, { namespace: kube.namespace }));
  return pick(events, ({ items }) =>
    items.flatMap((item) => {
      const { data } = eventSchema.safeParse(item);
      return data?.regarding.kind === 'Pod' && data.type === 'Warning'
        ? [{ pod: data.regarding.name ?? '', reason: data.reason, note: data.note }]
        : [];
    }),
  );
}

export interface Where {
  /** Where to look for the operator; in the usual places without it. */
  readonly operatorNamespace: string | undefined;
  /** What finds the public address instead of the DNS. */
  readonly lookup: LookupFunction | undefined;
}

export async function gather(kube: Kube, name: string, where: Where, now: () => number): Promise<Facts> {
  const [version, isServed, klingApi] = await Promise.all([
    look(async () => (await kube.client.version()).gitVersion),
    look(async () => (await kube.client.discover(API_VERSION)).some(({ kind }) => kind === KIND)),
    seeKlingApi(kube, name),
  ]);
  const object = klingApi.kind === 'Unreadable' ? undefined : given(klingApi);
  const [operators, mcp, api, sandbox, events, exposure, headers] = await Promise.all([
    operatorFacts(kube, where.operatorNamespace),
    part(kube, name, 'mcp', 'Deployment'),
    part(kube, name, 'api', object === undefined ? 'StatefulSet' : apiWorkload(object.spec)),
    look(() => podsOf(kube, name, 'sandbox')),
    podEvents(kube),
    exposureFacts(kube, object),
    object === undefined ? {} : callerHeaders(kube, object),
  ]);
  const running = (given(mcp.pods) ?? []).filter(isRunning).slice(0, MOST_PODS);
  const apiPod = (given(api.pods) ?? []).find(isRunning);
  const [handshakes, health] = await Promise.all([
    object === undefined ? [] : Promise.all(running.map((pod) => askForHandshake(kube, object, pod, headers))),
    apiPod === undefined ? ABSENT : askForHealth(kube, kube.namespace, apiPod),
  ]);
  // a public address can only be judged where somebody behind it serves
  const isSomebodyThere = handshakes.some(({ own, report }) => isServing(own?.verdict ?? report?.verdict ?? 'Unknown'));
  const outside =
    isSomebodyThere && object !== undefined ? await outsideFacts(object, where.lookup, kube.signal) : undefined;
  return {
    ...{ name, namespace: kube.namespace, server: kube.server, now: now(), version, isServed, operators, klingApi },
    ...{ ...exposure, outside, mcp, api, sandbox, events, handshakes, health },
  };
}
