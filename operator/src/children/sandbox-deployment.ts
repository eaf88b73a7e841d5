/** The stand-in for the Kling API, for `provider: Sandbox`. */
import type { V1Deployment } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, MANAGEMENT_PORT, SANDBOX_PORT, selectorLabels } from '../resource/names.ts';
import { childMeta, type ImageSettings } from './child.ts';
import { webhookSecret } from './mounted-files.ts';
import { container, environment, managementProbe, podTemplate, TMP } from './pod.ts';

export function sandboxDeployment(
  klingApi: KlingApi,
  settings: ImageSettings,
  stamp: string | undefined,
): V1Deployment & { metadata: ReturnType<typeof childMeta> } {
  const { name } = klingApi.metadata;
  const webhook = webhookSecret(klingApi);
  const main = container(
    {
      name: 'sandbox',
      image: settings.sandbox,
      ours: true,
      env: environment({ PORT: String(SANDBOX_PORT), MANAGEMENT_PORT: String(MANAGEMENT_PORT), ...webhook.env }),
      ports: [
        { name: 'kling', containerPort: SANDBOX_PORT },
        { name: 'management', containerPort: MANAGEMENT_PORT },
      ],
      mounts: [...webhook.mounts, TMP.mount],
      readinessProbe: managementProbe('/readyz', { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }),
    },
    settings,
  );
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMeta(klingApi, childNames(name).sandbox, 'sandbox'),
    spec: {
      replicas: 1,
      selector: { matchLabels: selectorLabels(name, 'sandbox') },
      strategy: { type: 'Recreate' },
      template: podTemplate(
        klingApi,
        { component: 'sandbox', ours: true, containers: [main], volumes: [...webhook.volumes, TMP.volume], stamp },
        settings,
      ),
    },
  };
}
