/** The same as the Ingress, through Gateway API (v1). The Gateway, its listeners and their certificates belong to others. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { RouteExposure } from '../resource/expose.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childMeta } from './child.ts';
import { routes } from './routes.ts';

export interface HttpRoute extends KubernetesObject {
  metadata: ReturnType<typeof childMeta>;
  spec: {
    parentRefs: RouteExposure['parentRefs'];
    hostnames: string[];
    rules: {
      matches: { path: { type: 'Exact' | 'PathPrefix'; value: string } }[];
      backendRefs: { name: string; port: number }[];
      timeouts?: { request: string };
    }[];
  };
}

export const httpRoute = (
  klingApi: KlingApi,
  { parentRefs, hostnames, requestTimeoutSeconds: limit }: RouteExposure,
): HttpRoute => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: childMeta(klingApi, klingApi.metadata.name),
  spec: {
    parentRefs,
    hostnames,
    rules: routes(klingApi).map(({ path, match, service, port }) => ({
      matches: [{ path: { type: match === 'Exact' ? 'Exact' : 'PathPrefix', value: path } }],
      backendRefs: [{ name: service, port }],
      // not every controller takes the field, and some refuse the whole route because of it
      ...(limit === undefined ? {} : { timeouts: { request: `${limit}s` } }),
    })),
  },
});
