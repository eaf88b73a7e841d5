/**
 * An informer of a kind that the cluster may not have. Discovery is asked again and again: the informer starts when the kind
 * appears and ends when it goes, without a restart of the process. It has no part in the health of the process: a kind that
 * may not be read is one that is not there.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Change } from './cache.ts';
import type { KubeClient } from './client.ts';
import { type Clock, sleep } from './clock.ts';
import { type ObjectKey, type Source, sourceOf } from './controller.ts';
import type { Informer } from './informer.ts';
import type { Kind } from './kinds.ts';
import type { KubeLog } from './log.ts';

export interface OptionalInformer {
  readonly kind: Kind;
  /** Whether the cluster has the kind and its objects are known. */
  served(): boolean;
  get(namespace: string, name: string): Readonly<KubernetesObject> | undefined;
  readonly source: Source;
  start(): void;
  stop(): Promise<void>;
}

export interface OptionalInformerOptions {
  readonly client: Pick<KubeClient, 'discover'>;
  readonly kind: Kind;
  readonly create: () => Informer<KubernetesObject>;
  /** The keys a change of an object asks for. */
  readonly keysOf: (change: Change<KubernetesObject>) => readonly ObjectKey[];
  /** Told when `served` turns. */
  readonly onTurn: () => void;
  readonly clock: Clock;
  readonly log: KubeLog;
  /** Time between two questions (10 s). */
  readonly everyMs?: number | undefined;
}

type Enqueue = Parameters<Source['subscribe']>[0];

export function createOptionalInformer(options: OptionalInformerOptions): OptionalInformer {
  const { client, kind, create, keysOf, onTurn, clock, log, everyMs = 10_000 } = options;
  const stopped = new AbortController();
  /** Known to be there or not, or asked for twice: a kind that cannot be read holds nobody up. */
  const settled = Promise.withResolvers<void>();
  const subscribers = new Map<Enqueue, () => void>();
  let informer: Informer<KubernetesObject> | undefined;
  let running: Promise<void> | undefined;

  const sourceNow = (): Source | undefined => informer && sourceOf(informer.cache, keysOf);

  function appear(): void {
    const made = create();
    informer = made;
    for (const enqueue of subscribers.keys()) subscribers.set(enqueue, sourceOf(made.cache, keysOf).subscribe(enqueue));
    made.start();
    log.info({ kind: kind.kind, apiVersion: kind.apiVersion }, 'Optional kind appeared');
    void made.cache.whenSynced().then(() => {
      settled.resolve();
      if (informer === made) onTurn();
    });
  }

  async function vanish(gone: Informer<KubernetesObject>): Promise<void> {
    informer = undefined;
    for (const [enqueue, end] of subscribers) {
      end();
      subscribers.set(enqueue, () => {});
    }
    await gone.stop();
    log.info({ kind: kind.kind, apiVersion: kind.apiVersion }, 'Optional kind is gone');
    onTurn();
  }

  async function ask(): Promise<void> {
    const found = await client.discover(kind.apiVersion, { signal: stopped.signal });
    const there = found.some((resource) => resource.kind === kind.kind && resource.name === kind.plural);
    if (!there) settled.resolve();
    if (there && informer === undefined) appear();
    else if (!there && informer !== undefined) await vanish(informer);
  }

  async function run(): Promise<void> {
    for (let asked = 1; !stopped.signal.aborted; asked += 1) {
      await ask().catch((error: unknown) => {
        // what was known last stands
        if (!stopped.signal.aborted)
          log.warn({ kind: kind.kind, error: String(error) }, 'Optional kind could not be looked up');
      });
      if (asked > 1) settled.resolve();
      await sleep(clock, everyMs, stopped.signal);
    }
    await informer?.stop();
  }

  return {
    kind,
    served: () => informer?.cache.synced === true,
    get: (namespace, name) => (informer?.cache.synced === true ? informer.cache.get(namespace, name) : undefined),
    source: {
      subscribe(enqueue) {
        subscribers.set(enqueue, sourceNow()?.subscribe(enqueue) ?? (() => {}));
        return () => {
          subscribers.get(enqueue)?.();
          subscribers.delete(enqueue);
        };
      },
      keys: () => (informer?.cache.synced === true ? (sourceNow()?.keys() ?? []) : []),
      whenSynced: () => settled.promise,
    },
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
