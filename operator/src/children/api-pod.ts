/** The pods of the API, on SQLite or on PostgreSQL. */
import type { V1PodTemplateSpec } from '@kubernetes/client-node';
import { apiWorkload, publicUrl, s3Store } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames, MANAGEMENT_PORT, SANDBOX_PORT, serviceHost } from '../resource/names.ts';
import type { ImageSettings } from './child.ts';
import { type MountedFiles, mountedFiles, webhookSecret } from './mounted-files.ts';
import { container, DRAIN, environment, MOUNT, managementProbe, podTemplate, secretVolume, TMP } from './pod.ts';

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
function credentials({ spec: { upstream } }: KlingApi): MountedFiles {
  if (upstream.provider === 'Sandbox') return { env: { KLING_API_KEY: 'sandbox' }, mounts: [], volumes: [] };
  return mountedFiles('upstream', [
    { ref: upstream.apiKeySecretRef, variable: 'KLING_API_KEY_FILE', path: 'apiKey' },
    { ref: upstream.accessKeySecretRef, variable: 'KLING_ACCESS_KEY_FILE', path: 'accessKey' },
    { ref: upstream.secretKeySecretRef, variable: 'KLING_SECRET_KEY_FILE', path: 'secretKey' },
  ]);
}

/** Where tasks are kept. */
function tasks(klingApi: KlingApi): MountedFiles {
  if (apiWorkload(klingApi.spec) === 'StatefulSet')
    return {
      env: { DATA_DIR: '/data' },
      mounts: [{ name: 'data', mountPath: '/data' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: childNames(klingApi.metadata.name).dataClaim } }],
    };
  const ref = klingApi.spec.api.storage?.postgres?.urlSecretRef;
  return mountedFiles('database', [{ ref, variable: 'DATABASE_URL_FILE', path: 'url' }]);
}

/** Where results are kept, and how long. */
function results({ spec }: KlingApi): MountedFiles {
  const wanted = spec.api.results;
  const env = wanted === undefined ? {} : { RESULTS_RETENTION_DAYS: String(wanted.retentionDays) };
  if (wanted?.s3 === undefined) return { env, mounts: [], volumes: [] };
  const store = s3Store(wanted.s3);
  const keys = mountedFiles('results', [
    { ref: wanted.s3.accessKeyIdSecretRef, variable: 'RESULTS_S3_ACCESS_KEY_ID_FILE', path: 'accessKeyId' },
    { ref: wanted.s3.secretAccessKeySecretRef, variable: 'RESULTS_S3_SECRET_ACCESS_KEY_FILE', path: 'secretAccessKey' },
  ]);
  return {
    ...keys,
    env: {
      ...env,
      RESULTS_S3_ENDPOINT: store.endpoint,
      RESULTS_S3_BUCKET: wanted.s3.bucket,
      RESULTS_S3_REGION: store.region,
      ...(wanted.s3.prefix === undefined || wanted.s3.prefix === '' ? {} : { RESULTS_S3_PREFIX: wanted.s3.prefix }),
      RESULTS_S3_FORCE_PATH_STYLE: String(store.forcePathStyle),
      ...keys.env,
    },
  };
}

/** @param stamp changes with what the pods read from Secrets and ConfigMaps; absent where that is nothing */
export function apiPodTemplate(
  klingApi: KlingApi,
  settings: ImageSettings,
  stamp: string | undefined,
): V1PodTemplateSpec {
  const { api } = klingApi.spec;
  const names = childNames(klingApi.metadata.name);
  const store = tasks(klingApi);
  const others = [credentials(klingApi), results(klingApi), webhookSecret(klingApi)];
  const main = container(
    {
      name: 'api',
      image: api.image ?? settings.api,
      ours: true,
      env: environment({
        PORT: String(API_PORT),
        MANAGEMENT_PORT: String(MANAGEMENT_PORT),
        KLING_BASE_URL: upstreamUrl(klingApi),
        ...Object.fromEntries([...others, store].flatMap(({ env }) => Object.entries(env))),
        PUBLIC_URL: publicUrl(klingApi.spec),
        AUTH: 'callers',
        CALLERS_DIR: MOUNT.callers,
        INTERNAL_KEY_FILE: `${MOUNT.internal}/key`,
      }),
      ports: [
        { name: 'api', containerPort: API_PORT },
        { name: 'management', containerPort: MANAGEMENT_PORT },
      ],
      mounts: [
        ...store.mounts,
        { name: 'internal', mountPath: MOUNT.internal, readOnly: true },
        { name: 'callers', mountPath: MOUNT.callers, readOnly: true },
        ...others.flatMap(({ mounts }) => mounts),
        TMP.mount,
      ],
      readinessProbe: managementProbe('/readyz', { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }),
      livenessProbe: managementProbe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    },
    settings,
    api,
  );
  return podTemplate(
    klingApi,
    {
      component: 'api',
      ours: true,
      // one pod on SQLite has nobody to hand over to
      containers: [apiWorkload(klingApi.spec) === 'Deployment' ? { ...main, lifecycle: DRAIN } : main],
      stamp,
      volumes: [
        ...store.volumes,
        secretVolume('internal', names.internalSecret),
        secretVolume('callers', api.callersSecretRef?.name ?? names.callersSecret),
        ...others.flatMap(({ volumes }) => volumes),
        TMP.volume,
      ],
    },
    settings,
    api,
  );
}
