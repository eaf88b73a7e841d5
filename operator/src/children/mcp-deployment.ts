/** The MCP workload. Readiness is the handshake: our own server does it behind /readyz, any other gets the probe sidecar. */
import type { V1Container, V1Deployment, V1Volume } from '@kubernetes/client-node';
import { mcpAuth, mcpServer, oauthAudience, publicHosts, publicUrl } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames, MANAGEMENT_PORT, selectorLabels, serviceHost, serviceHosts } from '../resource/names.ts';
import { childMeta, type ImageSettings } from './child.ts';
import {
  container,
  DRAIN,
  environment,
  FALLBACK,
  MOUNT,
  managementProbe,
  podTemplate,
  secretVolume,
  TMP,
} from './pod.ts';

/**
 * @param replicas number of pods to own; absent where another owns the field (kubectl scale, an autoscaler)
 * @param stamp changes with what the pods read from Secrets and ConfigMaps; absent where that is nothing
 */
export function mcpDeployment(
  klingApi: KlingApi,
  settings: ImageSettings,
  replicas: number | undefined,
  stamp: string | undefined,
): V1Deployment & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  const ours = mcpServer(klingApi.spec) === 'Kling';
  const { containers, volumes } = ours ? ourServer(klingApi, settings) : otherServer(klingApi, settings);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMeta(klingApi, childNames(name).mcp, 'mcp'),
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: selectorLabels(name, 'mcp') },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: podTemplate(
        klingApi,
        { component: 'mcp', containers, volumes, ours, stamp },
        settings,
        klingApi.spec.mcp,
      ),
    },
  };
}

interface Parts {
  containers: V1Container[];
  volumes: V1Volume[];
}

const callersSecret = (klingApi: KlingApi): string =>
  klingApi.spec.api.callersSecretRef?.name ?? childNames(klingApi.metadata.name).callersSecret;

/** The kubelet gives the handshake a second more than it may take, and takes a pod out after two failures in a row. */
const readiness = (klingApi: KlingApi) =>
  managementProbe('/readyz', {
    periodSeconds: klingApi.spec.mcp.handshake.periodSeconds,
    timeoutSeconds: klingApi.spec.mcp.handshake.timeoutSeconds + 1,
    failureThreshold: 2,
  });

function ourServer(klingApi: KlingApi, settings: ImageSettings): Parts {
  const { name, namespace } = klingApi.metadata;
  const { mcp } = klingApi.spec;
  const names = childNames(name);
  const auth = mcpAuth(klingApi.spec);
  const oauth = auth === 'oauth' ? mcp.auth?.oauth : undefined;
  const main = container(
    {
      name: 'mcp',
      image: mcp.image ?? settings.mcp,
      ours: true,
      env: environment({
        PORT: String(mcp.port),
        MANAGEMENT_PORT: String(MANAGEMENT_PORT),
        MCP_PATH: mcp.path,
        API_URL: `http://${serviceHost(names.api, namespace)}:${API_PORT}`,
        AUTH: auth,
        CALLERS_DIR: auth === 'callers' ? MOUNT.callers : undefined,
        OAUTH_ISSUER: oauth?.issuer,
        OAUTH_AUDIENCE: oauth === undefined ? undefined : oauthAudience(klingApi.spec),
        OAUTH_SCOPES: oauth?.scopes === undefined || oauth.scopes.length === 0 ? undefined : oauth.scopes.join(','),
        INTERNAL_KEY_FILE: `${MOUNT.internal}/key`,
        OAUTH_ALLOW_HTTP: oauth?.issuer.startsWith('http:') === true ? 'true' : undefined,
        PUBLIC_URL: publicUrl(klingApi.spec),
        ALLOWED_HOSTS: [...serviceHosts(names.mcp, namespace), ...publicHosts(klingApi.spec)].join(','),
        ALLOWED_ORIGINS: mcp.allowedOrigins.length === 0 ? undefined : mcp.allowedOrigins.join(','),
        HANDSHAKE_TIMEOUT_SECONDS: String(mcp.handshake.timeoutSeconds),
      }),
      ports: [
        { name: 'mcp', containerPort: mcp.port },
        { name: 'management', containerPort: MANAGEMENT_PORT },
      ],
      mounts: [
        { name: 'internal', mountPath: MOUNT.internal, readOnly: true },
        ...(auth === 'callers' ? [{ name: 'callers', mountPath: MOUNT.callers, readOnly: true }] : []),
        TMP.mount,
      ],
      readinessProbe: readiness(klingApi),
      livenessProbe: managementProbe('/livez', FALLBACK),
    },
    settings,
    mcp,
  );
  return {
    containers: [{ ...main, lifecycle: DRAIN }],
    volumes: [
      secretVolume('internal', names.internalSecret),
      ...(auth === 'callers' ? [secretVolume('callers', callersSecret(klingApi))] : []),
      TMP.volume,
    ],
  };
}

function otherServer(klingApi: KlingApi, settings: ImageSettings): Parts {
  const { name, namespace } = klingApi.metadata;
  const { mcp } = klingApi.spec;
  const headers = mcp.handshake.headersSecretRef;
  const main = container(
    {
      name: 'mcp',
      image: mcp.image ?? settings.mcp,
      ours: false,
      env: [],
      ports: [{ name: 'mcp', containerPort: mcp.port }],
      mounts: [TMP.mount],
      // whether it has an event loop, and where that could be asked, is not known of a foreign server: only that it listens
      livenessProbe: { tcpSocket: { port: mcp.port }, successThreshold: 1, ...FALLBACK },
    },
    settings,
    mcp,
  );
  const probe = container(
    {
      name: 'probe',
      image: settings.probe,
      ours: true,
      env: environment({
        MANAGEMENT_PORT: String(MANAGEMENT_PORT),
        PROBE_URL: `http://127.0.0.1:${mcp.port}${mcp.path}`,
        PROBE_HOST: `${serviceHost(childNames(name).mcp, namespace)}:${mcp.port}`,
        PROBE_HEADERS_DIR: headers === undefined ? undefined : MOUNT.headers,
        PROBE_ERAS: mcp.handshake.eras,
        PROBE_TIMEOUT_SECONDS: String(mcp.handshake.timeoutSeconds),
      }),
      ports: [{ name: 'management', containerPort: MANAGEMENT_PORT }],
      mounts: headers === undefined ? [] : [{ name: 'headers', mountPath: MOUNT.headers, readOnly: true }],
      readinessProbe: readiness(klingApi),
      limits: { memory: '160Mi' },
    },
    settings,
  );
  return {
    containers: [{ ...main, lifecycle: DRAIN }, probe],
    volumes: [TMP.volume, ...(headers === undefined ? [] : [secretVolume('headers', headers.name)])],
  };
}
