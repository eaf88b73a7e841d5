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

/** A reader came before the first list was in: it would have taken "not seen yet" for "not there". */
export class CacheNotSynced extends Error {
  override readonly name = 'CacheNotSynced';
  readonly code = 'CacheNotSynced';
  readonly retryable = true;
}

const keyOf = (object: KubernetesObject): string =>
  `${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;

export function createCache<T extends KubernetesObject>(options: CacheOptions): Cache<T> {
  const { kind, indexLabels = [], onListenerError } = options;
  const objects = new Map<string, T>();
  const owners = createIndex();
  const labels = new Map(indexLabels.map((label) => [label, createIndex()]));
  const listeners = new Set<(change: Change<T>) => void>();
  const sync = Promise.withResolvers<void>();
  let feeds = 0;
  let unfilled = 0;
  let synced = false;

  function set(key: string, object: T | undefined): void {
    const before = objects.get(key);
    if (before !== undefined) {
      for (const owner of before.metadata?.ownerReferences ?? []) owners.delete(owner.uid, key);
      for (const [label, index] of labels) index.delete(before.metadata?.labels?.[label], key);
    }
    if (object === undefined) {
      objects.delete(key);
      return;
    }
    objects.set(key, object);
    for (const owner of object.metadata?.ownerReferences ?? []) owners.add(owner.uid, key);
    for (const [label, index] of labels) index.add(object.metadata?.labels?.[label], key);
  }

  function put(incoming: KubernetesObject, initial: boolean): Change<T>[] {
    const key = keyOf(incoming);
    const before = objects.get(key);
    // the feed of this cache is the list or watch of its kind
    const object = deepFreeze(incoming) as T;
    if (before === undefined) {
      set(key, object);
      return [{ type: 'Added', object, initial }];
    }
    if (before.metadata?.uid !== object.metadata?.uid) {
      set(key, object);
      return [
        { type: 'Deleted', object: before },
        { type: 'Added', object, initial },
      ];
    }
    if (before.metadata?.resourceVersion === object.metadata?.resourceVersion) return [];
    set(key, object);
    return [{ type: 'Updated', object, before }];
  }

  function drop(key: string): Change<T>[] {
    const before = objects.get(key);
    if (before === undefined) return [];
    set(key, undefined);
    return [{ type: 'Deleted', object: before }];
  }

  function tell(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      for (const listener of [...listeners]) {
        try {
          listener(change);
        } catch (error) {
          onListenerError?.(error);
        }
      }
    }
  }

  function guard(): void {
    if (!synced) throw new CacheNotSynced(`Cache of ${kind.plural} was read before its first sync`);
  }

  const pick = (keys: Iterable<string>, namespace?: string): Readonly<T>[] => {
    const found: Readonly<T>[] = [];
    for (const key of keys) {
      const object = objects.get(key);
      if (object !== undefined && (namespace === undefined || object.metadata?.namespace === namespace))
        found.push(object);
    }
    return found;
  };

  return {
    kind,
    get synced() {
      return synced;
    },
    whenSynced: () => sync.promise,
    get(namespace, name) {
      guard();
      return objects.get(`${namespace}/${name}`);
    },
    list(namespace) {
      guard();
      return pick(objects.keys(), namespace);
    },
    byOwner(uid) {
      guard();
      return pick(owners.get(uid));
    },
    byLabel(label, value, namespace) {
      guard();
      const index = labels.get(label);
      if (index === undefined) throw new TypeError(`Cache of ${kind.plural} has no index of the label ${label}`);
      return pick(index.get(value), namespace);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    feed(namespace) {
      let filled = false;
      feeds += 1;
      unfilled += 1;
      return {
        replace(list) {
          const initial = !filled;
          const present = new Set(list.map(keyOf));
          const gone = [...objects.keys()].filter(
            (key) => !present.has(key) && (namespace === undefined || key.startsWith(`${namespace}/`)),
          );
          // everything stands before anyone is told, so that a listener sees one state
          const changes = [...gone.flatMap(drop), ...list.flatMap((object) => put(object, initial))];
          if (!filled) {
            filled = true;
            unfilled -= 1;
          }
          if (unfilled === 0 && feeds > 0) {
            synced = true;
            sync.resolve();
          }
          tell(changes);
        },
        upsert: (object) => tell(put(object, false)),
        remove: (object) => tell(drop(keyOf(object))),
      };
    },
  };
}

function createIndex() {
  const entries = new Map<string, Set<string>>();
  return {
    get: (value: string): Iterable<string> => entries.get(value) ?? [],
    add(value: string | undefined, key: string): void {
      if (value === undefined) return;
      const keys = entries.get(value);
      if (keys === undefined) entries.set(value, new Set([key]));
      else keys.add(key);
    },
    delete(value: string | undefined, key: string): void {
      if (value === undefined) return;
      const keys = entries.get(value);
      keys?.delete(key);
      if (keys?.size === 0) entries.delete(value);
    },
  };
}

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
