/** The API workload on SQLite: one pod, one volume, never two of them at once. */
import type { V1StatefulSet, V1Volume } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames, MANAGEMENT_PORT, SANDBOX_PORT, selectorLabels, serviceHost } from '../resource/names.ts';
import { childMeta, type ImageSettings, UPSTREAM_STAMP } from './child.ts';
import { container, environment, MOUNT, managementProbe, podTemplate, secretVolume, TMP } from './pod.ts';

const VENDOR = { Global: 'https://api-singapore.klingai.com', China: 'https://api-beijing.klingai.com' } as const;

/** Where the API service sends its requests. */
export function upstreamUrl(klingApi: KlingApi): string {
  const { upstream } = klingApi.spec;
  if (upstream.provider === 'Sandbox') {
    return `http://${serviceHost(childNames(klingApi.metadata.name).sandbox, klingApi.metadata.namespace)}:${SANDBOX_PORT}`;
  }
  return upstream.endpoint ?? VENDOR[upstream.region];
}

/** Credentials as mounted files; the sandbox takes any key, so it gets one that is no secret. */
function credentials(klingApi: KlingApi): { env: Record<string, string | undefined>; volumes: V1Volume[] } {
  const { apiKeySecretRef, accessKeySecretRef, secretKeySecretRef, provider } = klingApi.spec.upstream;
  if (provider === 'Sandbox') return { env: { KLING_API_KEY: 'sandbox' }, volumes: [] };
  const sources = [
    { ref: apiKeySecretRef, variable: 'KLING_API_KEY_FILE', path: 'apiKey' },
    { ref: accessKeySecretRef, variable: 'KLING_ACCESS_KEY_FILE', path: 'accessKey' },
    { ref: secretKeySecretRef, variable: 'KLING_SECRET_KEY_FILE', path: 'secretKey' },
  ].flatMap(({ ref, ...rest }) => (ref === undefined ? [] : [{ ref, ...rest }]));
  return {
    env: Object.fromEntries(sources.map(({ variable, path }) => [variable, `${MOUNT.upstream}/${path}`])),
    volumes:
      sources.length === 0
        ? []
        : [
            {
              name: 'upstream',
              projected: {
                defaultMode: 0o440,
                sources: sources.map(({ ref, path }) => ({
                  secret: { name: ref.name, items: [{ key: ref.key, path }] },
                })),
              },
            },
          ],
  };
}

/** @param upstreamStamp changes with the upstream credentials, so that new ones make new pods; absent where there are none */
export function apiStatefulSet(
  klingApi: KlingApi,
  settings: ImageSettings,
  upstreamStamp: string | undefined,
): V1StatefulSet & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  const { api } = klingApi.spec;
  const names = childNames(name);
  const { env, volumes } = credentials(klingApi);
  const main = container(
    {
      name: 'api',
      image: api.image ?? settings.api,
      ours: true,
      env: environment({
        PORT: String(API_PORT),
        MANAGEMENT_PORT: String(MANAGEMENT_PORT),
        KLING_BASE_URL: upstreamUrl(klingApi),
        ...env,
        DATA_DIR: '/data',
        AUTH: 'callers',
        CALLERS_DIR: MOUNT.callers,
        INTERNAL_KEY_FILE: `${MOUNT.internal}/key`,
      }),
      ports: [
        { name: 'api', containerPort: API_PORT },
        { name: 'management', containerPort: MANAGEMENT_PORT },
      ],
      mounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'internal', mountPath: MOUNT.internal, readOnly: true },
        { name: 'callers', mountPath: MOUNT.callers, readOnly: true },
        ...(volumes.length === 0 ? [] : [{ name: 'upstream', mountPath: MOUNT.upstream, readOnly: true }]),
        TMP.mount,
      ],
      readinessProbe: managementProbe('/readyz', { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }),
      livenessProbe: managementProbe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    },
    settings,
    api,
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: childMeta(klingApi, names.api, 'api'),
    spec: {
      replicas: api.replicas ?? 1,
      serviceName: names.api,
      // in order, a pod that never gets ready is not replaced even when its template is mended
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: selectorLabels(name, 'api') },
      template: podTemplate(
        klingApi,
        {
          component: 'api',
          ours: true,
          containers: [main],
          ...(upstreamStamp === undefined ? {} : { annotations: { [UPSTREAM_STAMP]: upstreamStamp } }),
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: names.dataClaim } },
            secretVolume('internal', names.internalSecret),
            secretVolume('callers', api.callersSecretRef?.name ?? names.callersSecret),
            ...volumes,
            TMP.volume,
          ],
        },
        settings,
        api,
      ),
    },
  };
}
