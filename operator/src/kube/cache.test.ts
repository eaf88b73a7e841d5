import type { V1Pod } from '@kubernetes/client-node';
import { beforeEach, expect, test } from 'vitest';
import { type Cache, CacheNotSynced, createCache, type Feed } from './cache.ts';
import { KINDS } from './kinds.ts';

let cache: Cache<V1Pod>;
let feed: Feed;

const pod = (name: string, resourceVersion: string, part: V1Pod['metadata'] = {}): V1Pod => ({
  metadata: { namespace: 'media', name, uid: `uid-${name}`, resourceVersion, ...part },
});
const ownedBy = (...uids: string[]) => ({
  ownerReferences: uids.map((uid) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid })),
});
const names = (pods: readonly V1Pod[]) => pods.map(({ metadata }) => metadata?.name);

beforeEach(() => {
  cache = createCache({ kind: KINDS.Pod, indexLabels: ['klingapi.dev/name'] });
  feed = cache.feed();
});

test('no reader is served before the first sync: "not seen yet" is not "not there"', async () => {
  feed.upsert(pod('a', '1'));
  for (const read of [
    () => cache.get('media', 'a'),
    () => cache.list(),
    () => cache.byOwner('u'),
    () => cache.byLabel('klingapi.dev/name', 'x'),
  ])
    expect(read).toThrow(CacheNotSynced);
  feed.replace([]);
  await cache.whenSynced();
  expect(cache.list()).toEqual([]);
});

test('indexes follow every change', () => {
  feed.replace([
    pod('a', '1', { ...ownedBy('r1', 'r2'), labels: { 'klingapi.dev/name': 'studio' } }),
    pod('b', '1', ownedBy('r1')),
  ]);
  expect(names(cache.byOwner('r1'))).toEqual(['a', 'b']);
  expect(names(cache.byOwner('r2'))).toEqual(['a']);
  expect(names(cache.byLabel('klingapi.dev/name', 'studio'))).toEqual(['a']);
  expect(names(cache.byLabel('klingapi.dev/name', 'studio', 'other'))).toEqual([]);
  feed.upsert(pod('a', '2', { ...ownedBy('r3'), labels: { 'klingapi.dev/name': 'second' } }));
  expect(names(cache.byOwner('r1'))).toEqual(['b']);
  expect(names(cache.byOwner('r3'))).toEqual(['a']);
  expect(names(cache.byLabel('klingapi.dev/name', 'studio'))).toEqual([]);
  feed.remove(pod('b', '3'));
  feed.replace([]);
  expect(cache.byOwner('r1')).toEqual([]);
  expect(cache.byLabel('klingapi.dev/name', 'second')).toEqual([]);
  expect(() => cache.byLabel('app', 'x')).toThrow('has no index of the label app');
});

test('objects are frozen all the way down', () => {
  feed.replace([pod('a', '1', { labels: { x: 'y' } })]);
  const labels = cache.get('media', 'a')!.metadata!.labels!;
  expect(() => {
    labels['x'] = 'z';
  }).toThrow(TypeError);
});

test('a list tells only what changed, when all of it stands', () => {
  feed.replace([pod('a', '1'), pod('b', '1'), pod('c', '1')]);
  const seen: string[] = [];
  cache.onChange((change) => seen.push(`${change.type} ${change.object.metadata?.name} of ${cache.list().length}`));
  feed.replace([pod('b', '1'), pod('c', '2'), pod('d', '1')]);
  expect(seen).toEqual(['Deleted a of 3', 'Updated c of 3', 'Added d of 3']);
});

test('a listener that throws is told of, the others still hear', () => {
  const faults: unknown[] = [];
  cache = createCache({ kind: KINDS.Pod, onListenerError: (error) => faults.push(error) });
  feed = cache.feed();
  const heard: string[] = [];
  cache.onChange(() => {
    throw new Error('deaf');
  });
  const end = cache.onChange(({ type }) => heard.push(type));
  feed.replace([pod('a', '1')]);
  end();
  feed.upsert(pod('a', '2'));
  expect(heard).toEqual(['Added']);
  expect(faults).toHaveLength(2);
});
