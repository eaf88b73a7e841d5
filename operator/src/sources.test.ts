import { expect, it } from 'vitest';
import { createCache } from './kube/cache.ts';
import { KINDS } from './kube/kinds.ts';
import { onDeleted } from './sources.ts';

it('tells of an object that is gone by its uid, also where another took its name at once', () => {
  const cache = createCache({ kind: KINDS.KlingApi });
  const feed = cache.feed();
  const gone: string[] = [];
  onDeleted(cache, (uid) => gone.push(uid));
  const object = (uid: string, resourceVersion: string) => ({
    metadata: { namespace: 'media', name: 'studio', uid, resourceVersion },
  });
  feed.replace([object('one', '1')]);
  feed.upsert(object('one', '2'));
  feed.upsert(object('two', '3'));
  expect(gone).toEqual(['one']);
  feed.remove(object('two', '4'));
  expect(gone).toEqual(['one', 'two']);
});
