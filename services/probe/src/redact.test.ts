import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redact } from './redact.ts';

const secret = fc.stringMatching(/^[A-Za-z0-9_-]{8,40}$/);

it('leaves no given secret in a text, wherever it stands', () => {
  fc.assert(
    fc.property(fc.string(), secret, fc.string(), (before, value, after) => {
      expect(redact(before + value + after, [`Bearer ${value}`])).not.toContain(value);
    }),
  );
});

it('keeps at most the limit, without control characters', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000 }), (text) => {
      const clean = redact(text, []);
      expect(clean.length).toBeLessThanOrEqual(512);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(clean).not.toMatch(/[\u0000-\u001F\u007F]/);
    }),
  );
});

it('knows the shapes of secrets that nobody gave', () => {
  expect(redact('Authorization: Bearer abcdef123456', [])).toBe('Authorization: [redacted] [redacted]');
  expect(redact('{"api_key":"abcdef123456","a":1}', [])).toBe('{"api_key":"[redacted]","a":1}');
  expect(redact('token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln was refused', [])).toBe(
    'token [redacted] was refused',
  );
});

it('leaves other text alone', () => {
  const text = 'RuntimeError: Task group is not initialized. Make sure to use run().';
  expect(redact(text, ['Bearer abc'])).toBe(text);
});
