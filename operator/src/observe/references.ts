/** Every Secret and ConfigMap that the resource names and that a pod reads. */
import { mcpAuth, mcpServer, sqliteStorage } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Component } from '../resource/names.ts';
import type { KlingApiSpec } from '../resource/spec.ts';

export interface Reference {
  /** Whose pods read it. */
  component: Component;
  kind: 'Secret' | 'ConfigMap';
  /** Where the resource names it. */
  field: string;
  name: string;
  /** The key that has to be in it; absent where all of it is read. */
  key?: string;
  /** A pod starts without it. */
  optional: boolean;
  /** A pod takes a new value up while it runs; any other takes a new pod. */
  reloaded: boolean;
}

interface Named {
  name: string;
  key?: string | undefined;
  optional?: boolean | undefined;
}

const reference = (
  component: Component,
  kind: Reference['kind'],
  field: string,
  { name, key, optional }: Named,
  reloaded = false,
): Reference => ({
  component,
  kind,
  field,
  name,
  ...(key === undefined ? {} : { key }),
  optional: optional ?? false,
  reloaded,
});

/** The credentials of the upstream, none for the sandbox, and the secret of its callbacks. */
function upstreamReferences({ upstream }: KlingApiSpec): Reference[] {
  const keys = (['apiKeySecretRef', 'accessKeySecretRef', 'secretKeySecretRef'] as const).flatMap((field) => {
    const named = upstream[field];
    return named === undefined || upstream.provider === 'Sandbox'
      ? []
      : [reference('api', 'Secret', `spec.upstream.${field}`, named)];
  });
  const webhook = upstream.webhookSecretRef;
  if (webhook === undefined) return keys;
  const users: Component[] = upstream.provider === 'Sandbox' ? ['api', 'sandbox'] : ['api'];
  return [...keys, ...users.map((user) => reference(user, 'Secret', 'spec.upstream.webhookSecretRef', webhook))];
}

function storageReferences(spec: KlingApiSpec): Reference[] {
  const { storage, results } = spec.api;
  const url = storage?.postgres?.urlSecretRef;
  return [
    ...(url === undefined || sqliteStorage(spec) !== undefined
      ? []
      : [reference('api', 'Secret', 'spec.api.storage.postgres.urlSecretRef', url)]),
    ...(['accessKeyIdSecretRef', 'secretAccessKeySecretRef'] as const).flatMap((field) => {
      const named = results?.s3?.[field];
      return named === undefined ? [] : [reference('api', 'Secret', `spec.api.results.s3.${field}`, named)];
    }),
  ];
}

/** What a container takes into its environment when it starts. */
function environmentReferences(component: 'api' | 'mcp', spec: KlingApiSpec): Reference[] {
  const { env = [], envFrom = [] } = spec[component];
  return [
    ...env.flatMap(({ name, valueFrom }) => {
      const field = `spec.${component}.env[${name}]`;
      return [
        ...(valueFrom?.secretKeyRef === undefined
          ? []
          : [reference(component, 'Secret', field, valueFrom.secretKeyRef)]),
        ...(valueFrom?.configMapKeyRef === undefined
          ? []
          : [reference(component, 'ConfigMap', field, valueFrom.configMapKeyRef)]),
      ];
    }),
    ...envFrom.flatMap(({ secretRef, configMapRef }, index) => {
      const field = `spec.${component}.envFrom[${index}]`;
      return [
        ...(secretRef === undefined ? [] : [reference(component, 'Secret', field, secretRef)]),
        ...(configMapRef === undefined ? [] : [reference(component, 'ConfigMap', field, configMapRef)]),
      ];
    }),
  ];
}

/** Folders that pods read again when they change. */
function reloadedReferences(spec: KlingApiSpec): Reference[] {
  const { api, mcp } = spec;
  const ours = mcpServer(spec) === 'Kling';
  const users: Component[] = ours && mcpAuth(spec) === 'callers' ? ['api', 'mcp'] : ['api'];
  const callers = api.callersSecretRef;
  const headers = mcp.handshake.headersSecretRef;
  return [
    ...(callers === undefined
      ? []
      : users.map((user) => reference(user, 'Secret', 'spec.api.callersSecretRef', callers, true))),
    ...(headers === undefined || ours
      ? []
      : [reference('mcp', 'Secret', 'spec.mcp.handshake.headersSecretRef', headers, true)]),
  ];
}

export const references = ({ spec }: KlingApi): Reference[] => [
  ...upstreamReferences(spec),
  ...storageReferences(spec),
  ...environmentReferences('api', spec),
  ...environmentReferences('mcp', spec),
  ...reloadedReferences(spec),
];
