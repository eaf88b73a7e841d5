/** The console on top of what the operator holds anyway: its cache of KlingApis and its handshakes. */
import type { HandshakeResult, ProbeReport } from '@klingapi/probe';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { CacheReader } from '../kube/cache.ts';
import type { Clock } from '../kube/clock.ts';
import type { Readable } from '../readable.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { createFeed } from './feed.ts';
import { createHistory } from './history.ts';
import { startConsoleServer } from './server.ts';
import { detailOf, type OperatorView, type Summary, summaryOf } from './view.ts';

export interface ConsoleOptions {
  /** 0 picks one. */
  port: number;
  cache: CacheReader<KubernetesObject>;
  readable: Readable;
  operator: () => Omit<OperatorView, 'startedAt'>;
  clock: Clock;
}

export interface Console {
  readonly port: number;
  /** A look at a pod, as the observer had it. */
  saw(klingApi: KlingApi, pod: { name: string; uid: string }, own: HandshakeResult, probe: ProbeReport | null): void;
  close(): Promise<void>;
}

export async function startConsole({ port, cache, readable, operator, clock }: ConsoleOptions): Promise<Console> {
  const startedAt = new Date(clock.now()).toISOString();
  /** Where each is found; the cache knows them by name. */
  const known = new Map<string, { namespace: string; name: string }>();
  const history = createHistory(
    (uid) => known.has(uid),
    () => clock.now(),
  );
  const summary = (klingApi: KlingApi): Summary => summaryOf(klingApi, history.lanes(klingApi.metadata.uid));
  const find = (namespace: string, name: string): KlingApi | undefined => {
    const object = cache.synced ? cache.get(namespace, name) : undefined;
    return object === undefined ? undefined : readable.all([object])[0];
  };
  const fleet = (): Summary[] | undefined => (cache.synced ? readable.all(cache.list()).map(summary) : undefined);

  const feed = createFeed(
    {
      operator: () => ({ ...operator(), startedAt }),
      all: fleet,
      one(uid) {
        const key = known.get(uid);
        const klingApi = key === undefined ? undefined : find(key.namespace, key.name);
        return klingApi === undefined ? undefined : summary(klingApi);
      },
    },
    clock,
  );
  const note = (object: Readonly<KubernetesObject>): string => {
    const { uid = '', namespace = '', name = '' } = object.metadata ?? {};
    known.set(uid, { namespace, name });
    return uid;
  };
  if (cache.synced) for (const object of cache.list()) note(object);
  const stop = cache.onChange(({ type, object }) => {
    const uid = note(object);
    if (type === 'Deleted') {
      known.delete(uid);
      history.forget(uid);
    }
    feed.changed(uid);
  });
  const server = await startConsoleServer(port, {
    fleet,
    detail(namespace, name) {
      const klingApi = find(namespace, name);
      return klingApi === undefined ? undefined : detailOf(klingApi, history.lanes(klingApi.metadata.uid));
    },
    follow: feed.follow,
  });
  return {
    port: server.port,
    saw({ metadata: { uid } }, pod, own, probe) {
      history.saw(uid, pod, {
        at: clock.now(),
        verdict: own.verdict,
        diagnosis: own.diagnosis,
        tookMs: own.evidence.phases.totalMs,
        probe: probe === null ? null : { verdict: probe.verdict, diagnosis: probe.diagnosis },
      });
      feed.changed(uid);
    },
    async close() {
      stop();
      feed.close();
      await server.close();
    },
  };
}
