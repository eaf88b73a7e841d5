/** What `--resolve` takes, and what it does with other names. */
import { expect, it } from 'vitest';
import { UsageError } from './errors.ts';
import { pinnedLookup } from './resolve.ts';

const asked = (text: string, name: string) =>
  new Promise((resolve) => {
    pinnedLookup(text)(name, {}, (error, addresses) => resolve(error?.message ?? addresses));
  });

it.each([
  ['kling.example.com:443:192.0.2.10', { address: '192.0.2.10', family: 4 }],
  ['kling.example.com:443:2001:db8::1', { address: '2001:db8::1', family: 6 }],
  ['KLING.example.com:443:[2001:db8::1]', { address: '2001:db8::1', family: 6 }],
])('%s', async (text, address) => {
  expect(await asked(text, 'kling.example.com')).toEqual([address]);
  expect(await asked(text, 'other.example.com')).toMatch(/^--resolve names .*, and other.example.com was asked for$/);
});

it.each(['', 'kling.example.com', 'kling.example.com:443', 'kling.example.com:443:other.example.com', 'a:443:1.2.3'])(
  '"%s" is refused with the form that is asked for',
  (text) => {
    expect(() => pinnedLookup(text)).toThrow(UsageError);
    expect(() => pinnedLookup(text)).toThrow(/is not HOST:PORT:ADDRESS, such as/);
  },
);
