/** What every child carries: its labels and the owner that garbage collection follows. */
import type { V1ObjectMeta, V1OwnerReference } from '@kubernetes/client-node';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_VERSION, KIND } from '../resource/klingapi.ts';
import { type Component, childLabels } from '../resource/names.ts';

/** Annotation of pods that holds the stamp of what they read once from Secrets and ConfigMaps. */
export const INPUT_STAMP = 'klingapi.dev/inputs';

/** Images and pull settings of this release, from the operator's environment. */
export interface ImageSettings {
  mcp: string;
  api: string;
  sandbox: string;
  probe: string;
  pullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  pullSecrets: string[];
}

export const ownerReference = (klingApi: KlingApi): V1OwnerReference => ({
  apiVersion: API_VERSION,
  kind: KIND,
  name: klingApi.metadata.name,
  uid: klingApi.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export interface ChildMeta extends V1ObjectMeta {
  name: string;
  namespace: string;
}

/** Metadata of a child; `owned: false` for what outlives its KlingApi. */
export const childMeta = (klingApi: KlingApi, name: string, component?: Component, owned = true): ChildMeta => ({
  name,
  namespace: klingApi.metadata.namespace,
  labels: childLabels(klingApi.metadata.name, component),
  ...(owned ? { ownerReferences: [ownerReference(klingApi)] } : {}),
});
