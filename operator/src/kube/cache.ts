/** What the reflectors of one kind saw last, by namespace and name, with indexes by owner and label. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Kind } from './kinds.ts';

/** A change of the cache. An object that was deleted and made anew under its name is a Deleted, then an Added. */
export type Change<T extends KubernetesObject> =
  | { readonly type: 'Added'; readonly object: Readonly<T>; readonly initial: boolean }
  | { readonly type: 'Updated'; readonly object: Readonly<T>; readonly before: Readonly<T> }
  | { readonly type: 'Deleted'; readonly object: Readonly<T> };

/** Objects are frozen all the way down: whoever wants to change one copies it first. */
export interface CacheReader<T extends KubernetesObject> {
  readonly kind: Kind;
  /** Whether every feed was filled once. */
  readonly synced: boolean;
  /** Resolves at the first sync. */
  whenSynced(): Promise<void>;
  /** @throws CacheNotSynced before the first sync, like every reader below */
  get(namespace: string, name: string): Readonly<T> | undefined;
  list(namespace?: string): Readonly<T>[];
  /** By `ownerReferences[].uid`. */
  byOwner(uid: string): Readonly<T>[];
  /** @param label one of those named in `indexLabels` */
  byLabel(label: string, value: string, namespace?: string): Readonly<T>[];
  /** @returns ends the subscription; what a listener throws reaches `onListenerError` only */
  onChange(listener: (change: Change<T>) => void): () => void;
}

/** Where one reflector puts what it sees: all of it, or one namespace's. */
export interface Feed {
  replace(objects: readonly KubernetesObject[]): void;
  upsert(object: KubernetesObject): void;
  remove(object: KubernetesObject): void;
}

export interface Cache<T extends KubernetesObject> extends CacheReader<T> {
  /** @param namespace absent: the feed is of all namespaces */
  feed(namespace?: string): Feed;
}

export interface CacheOptions {
  readonly kind: Kind;
  readonly indexLabels?: readonly string[] | undefined;
  readonly onListenerError?: ((error: unknown) => void) | undefined;
}

export declare function createCache<T extends KubernetesObject>(options: CacheOptions): Cache<T>;
