/** Puts up and takes away the children of one KlingApi. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Context } from '../context.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { removeChild } from './remove.ts';

export interface Hands {
  /** @returns the child as it then is @throws StalledError where it is foreign or refused for good */
  keep<T extends KubernetesObject>(desired: T): Promise<T>;
  remove(apiVersion: string, kind: string, name: string): Promise<void>;
  client: Context['client'];
}

export function handsOf(klingApi: KlingApi, deps: Pick<Context, 'client' | 'caches' | 'applier' | 'log'>): Hands {
  const { namespace, name } = klingApi.metadata;
  return {
    client: deps.client,
    async keep<T extends KubernetesObject>(desired: T): Promise<T> {
      const live = deps.caches.child(desired.kind ?? '', namespace, desired.metadata?.name ?? '');
      const { object, outcome } = await deps.applier.apply(desired, live, klingApi.metadata);
      if (outcome !== 'Unchanged') {
        deps.log.info(
          { klingapi: name, namespace, kind: desired.kind, child: desired.metadata?.name },
          outcome === 'Created' ? 'Child was created' : 'Child was applied',
        );
      }
      // the live object is of the kind that was asked for
      return object as T;
    },
    remove: (apiVersion, kind, child) => removeChild(klingApi, { apiVersion, kind, name: child }, deps),
  };
}
