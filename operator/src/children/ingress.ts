/** One host that leads to both Services, through an ingress controller. */
import type { V1Ingress } from '@kubernetes/client-node';
import type { IngressExposure } from '../resource/expose.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childMeta } from './child.ts';
import { routes } from './routes.ts';

export function ingress(
  klingApi: KlingApi,
  { host, className, tlsSecretName, annotations }: IngressExposure,
): V1Ingress & { metadata: ReturnType<typeof childMeta> } {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      ...childMeta(klingApi, klingApi.metadata.name),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...(tlsSecretName === undefined ? {} : { tls: [{ hosts: [host], secretName: tlsSecretName }] }),
      rules: [
        {
          host,
          http: {
            paths: routes(klingApi).map(({ path, match, service, port }) => ({
              path,
              pathType: match,
              backend: { service: { name: service, port: { number: port } } },
            })),
          },
        },
      ],
    },
  };
}
