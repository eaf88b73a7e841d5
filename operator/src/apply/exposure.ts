/** What leads to the Services and to the metrics from outside, the kinds that not every cluster has among it. */
import { httpRoute } from '../children/http-route.ts';
import { ingress } from '../children/ingress.ts';
import { serviceMonitor } from '../children/service-monitor.ts';
import type { Caches } from '../context.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames } from '../resource/names.ts';
import type { Finding } from '../status/conditions.ts';
import type { Hands } from './hands.ts';

export async function keepExposure(
  klingApi: KlingApi,
  { keep, remove }: Hands,
  caches: Pick<Caches, 'serves'>,
): Promise<void> {
  const { name } = klingApi.metadata;
  const { expose, monitoring } = klingApi.spec;
  if (expose?.ingress !== undefined) await keep(ingress(klingApi, expose.ingress));
  else await remove(KINDS.Ingress.apiVersion, 'Ingress', name);
  if (caches.serves('HTTPRoute')) {
    if (expose?.httpRoute !== undefined) await keep(httpRoute(klingApi, expose.httpRoute));
    else await remove(KINDS.HTTPRoute.apiVersion, 'HTTPRoute', name);
  }
  if (!caches.serves('ServiceMonitor')) return;
  for (const component of ['mcp', 'api'] as const) {
    if (monitoring.serviceMonitor !== 'Disabled') await keep(serviceMonitor(klingApi, component));
    else await remove(KINDS.ServiceMonitor.apiVersion, 'ServiceMonitor', childNames(name)[component]);
  }
}

/** @returns what the resource asks for by name and the cluster does not have */
export function missingKinds({ spec }: KlingApi, caches: Pick<Caches, 'serves'>): Finding | null {
  const asked = [
    { kind: 'HTTPRoute' as const, field: 'spec.expose.httpRoute', wanted: spec.expose?.httpRoute !== undefined },
    {
      kind: 'ServiceMonitor' as const,
      field: 'spec.monitoring.serviceMonitor',
      wanted: spec.monitoring.serviceMonitor === 'Enabled',
    },
  ].filter(({ kind, wanted }) => wanted && !caches.serves(kind));
  if (asked.length === 0) return null;
  const named = asked.map(({ kind, field }) => `${kind} (${KINDS[kind].apiVersion}), which ${field} asks for`);
  return {
    reason: asked.map(({ kind }) => `${kind}NotServed`)[0] ?? 'NotServed',
    message: `this cluster does not serve, or does not let the operator read, ${named.join(', and ')}: install its CustomResourceDefinition, and it is made within seconds`,
  };
}
