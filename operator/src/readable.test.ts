import { expect, it, vi } from 'vitest';
import { TerminalError } from './kube/errors.ts';
import { createReadable } from './readable.ts';

const stored = (name: string, url: string) => ({
  metadata: { name, namespace: 'media', uid: `uid-${name}`, resourceVersion: '1' },
  spec: { upstream: { provider: 'Sandbox' }, expose: { url } },
});
const good = stored('good', 'https://kling.example');
/** As a release with other rules had let it in. */
const old = stored('old', 'https://kling.example:99999');

it('leaves out what was stored under other rules, and says once which field it is', () => {
  const refused = vi.fn();
  const readable = createReadable(refused);
  for (let round = 0; round < 2; round += 1)
    expect(readable.all([old, good]).map(({ metadata }) => metadata.name)).toEqual(['good']);
  expect(() => readable.one(old)).toThrow(TerminalError);
  expect(() => readable.one(old)).toThrow(/spec\.expose\.url: /);
  expect(refused.mock.calls).toEqual([[old, expect.stringContaining('spec.expose.url')]]);
});

it('parses each version once', () => {
  const readable = createReadable(() => {});
  expect(readable.one(good)).toBe(readable.one(good));
  expect(readable.one({ ...good })).not.toBe(readable.one(good));
});
