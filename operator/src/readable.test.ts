import { expect, it, vi } from 'vitest';
import { createReadable, UnreadableError } from './readable.ts';
import { tellUnreadable } from './unreadable.ts';

const stored = (name: string, url: string) => ({
  metadata: { name, namespace: 'media', uid: `uid-${name}`, generation: 3, resourceVersion: '1' },
  spec: { upstream: { provider: 'Sandbox' }, expose: { url } },
});
const good = stored('good', 'https://kling.example');
/** As a release with other rules had let it in. */
const old = stored('old', 'https://kling.example:99999');
const NOW = '2026-11-24T10:00:00.000Z';

it('leaves out what was stored under other rules, and says which field it is', () => {
  const readable = createReadable();
  expect(readable.all([old, good]).map(({ metadata }) => metadata.name)).toEqual(['good']);
  expect(() => readable.one(old)).toThrow(UnreadableError);
  expect(() => readable.one(old)).toThrow(/spec\.expose\.url: /);
});

it('parses each version once', () => {
  const readable = createReadable();
  expect(readable.one(good)).toBe(readable.one(good));
  expect(readable.one({ ...good })).not.toBe(readable.one(good));
});

/** @returns what is applied for an object with these conditions */
async function told(conditions: object[], metadata: object = old.metadata) {
  const object = { ...old, metadata, status: { conditions, repairs: 'of another release' } };
  const error = new UnreadableError(object, 'spec.expose.url: Invalid');
  const spies = { apply: vi.fn(async () => ({})), event: vi.fn(), unreadable: vi.fn() };
  await tellUnreadable(error, {
    client: { apply: spies.apply as never },
    recorder: { event: spies.event },
    metrics: { unreadable: spies.unreadable },
    log: { info() {}, warn() {}, error() {} },
    now: () => Date.parse(NOW),
  });
  return spies;
}

it('says so in Accepted and Ready, beside all that stands in the status, in an Event and in metrics', async () => {
  const since = '2026-11-23T10:00:00Z';
  const { apply, event, unreadable } = await told([
    { type: 'Ready', status: 'False', lastTransitionTime: since, reason: 'X', message: '' },
    { type: 'Accepted', status: 'True', lastTransitionTime: since, reason: 'Accepted', message: '' },
  ]);
  const say = { status: 'False', reason: 'Unreadable', message: 'spec.expose.url: Invalid', observedGeneration: 3 };
  expect(apply.mock.calls).toEqual([
    [
      {
        apiVersion: 'klingapi.dev/v1alpha1',
        kind: 'KlingApi',
        metadata: { name: 'old', namespace: 'media', uid: 'uid-old' },
        status: {
          conditions: [
            { type: 'Accepted', ...say, lastTransitionTime: NOW },
            { type: 'Ready', ...say, lastTransitionTime: since },
          ],
        },
      },
      { fieldManager: 'kling-operator-unreadable', force: true, subresource: 'status' },
    ],
  ]);
  expect(event.mock.calls[0]?.[0]).toMatchObject({ type: 'Warning', reason: 'Unreadable', regarding: { name: 'old' } });
  expect(unreadable).toHaveBeenCalledWith('media', 'old');
});

it('leaves what is being deleted', async () => {
  const { apply, event } = await told([], { ...old.metadata, deletionTimestamp: NOW });
  expect([apply, event].flatMap((spy) => spy.mock.calls)).toEqual([]);
});
