import type { KubernetesObject } from '@kubernetes/client-node';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Cache, createCache, type Feed } from './cache.ts';
import { createManualClock, type ManualClock, settle } from './clock.testing.ts';
import { KubeError } from './errors.ts';
import { KINDS } from './kinds.ts';
import { createOptionalInformer, type OptionalInformer } from './optional-informer.ts';

const kind = KINDS.HTTPRoute;
const route = { name: kind.plural, kind: kind.kind, namespaced: true, verbs: ['list'] };
const object = (name: string): KubernetesObject => ({
  metadata: { namespace: 'media', name, uid: name, resourceVersion: '1' },
});

let clock: ManualClock;
/** What discovery answers. */
let served: boolean | KubeError;
let feeds: Feed[];
let running: number;
let turns: boolean[];
let woken: string[];
let informer: OptionalInformer;

beforeEach(() => {
  clock = createManualClock();
  [feeds, running, turns, woken] = [[], 0, [], []];
  informer = createOptionalInformer({
    client: {
      async discover() {
        if (served instanceof KubeError) throw served;
        return served ? [route] : [];
      },
    },
    kind,
    create() {
      const cache: Cache<KubernetesObject> = createCache({ kind });
      feeds.push(cache.feed());
      return {
        cache,
        reflectors: [],
        start() {
          running += 1;
        },
        async stop() {
          running -= 1;
        },
      };
    },
    keysOf: ({ object: { metadata } }) => [{ namespace: 'media', name: metadata?.name ?? '' }],
    onTurn: () => void turns.push(informer.served()),
    clock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  informer.source.subscribe(({ name }) => void woken.push(name));
});

const synced = async (): Promise<boolean> => {
  let done = false;
  void informer.source.whenSynced().then(() => {
    done = true;
  });
  await settle();
  return done;
};

describe('an optional kind', () => {
  it('that is not there holds nobody up', async () => {
    served = false;
    informer.start();
    expect(await synced()).toBe(true);
    expect([informer.served(), informer.source.keys(), informer.get('media', 'a'), turns]).toEqual([
      false,
      [],
      undefined,
      [],
    ]);
  });

  it('that is there counts once its objects are known', async () => {
    served = true;
    informer.start();
    expect([await synced(), informer.served()]).toEqual([false, false]);
    feeds[0]?.replace([object('a')]);
    expect([await synced(), informer.served()]).toEqual([true, true]);
    expect(informer.source.keys()).toEqual([{ namespace: 'media', name: 'a' }]);
    expect(informer.get('media', 'a')).toMatchObject(object('a'));
    feeds[0]?.upsert(object('b'));
    expect(woken).toEqual(['a', 'b']);
  });

  it('comes, goes and comes again', async () => {
    served = false;
    informer.start();
    await clock.advance(25_000);
    expect(running).toBe(0);
    served = true;
    await clock.advance(10_000);
    feeds[0]?.replace([]);
    await settle();
    expect([running, turns]).toEqual([1, [true]]);
    served = false;
    await clock.advance(10_000);
    expect([running, turns]).toEqual([0, [true, false]]);
    feeds[0]?.upsert(object('late'));
    expect(woken).toEqual([]);
    served = true;
    await clock.advance(10_000);
    feeds[1]?.replace([object('c')]);
    await settle();
    expect([running, turns, woken]).toEqual([1, [true, false, true], ['c']]);
  });

  it('stays as it was while discovery fails, and is waited for twice at most', async () => {
    served = new KubeError({ code: 'Unreachable', message: 'away' });
    informer.start();
    expect(await synced()).toBe(false);
    await clock.advance(10_000);
    expect(await synced()).toBe(true);
    served = true;
    await clock.advance(10_000);
    feeds[0]?.replace([]);
    served = new KubeError({ code: 'Unreachable', message: 'away' });
    await clock.advance(30_000);
    expect([informer.served(), running]).toEqual([true, 1]);
    await informer.stop();
    expect(running).toBe(0);
  });
});
