import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curlCommand } from './curl.ts';
import { eventData } from './events.ts';
import { narrow } from './form/narrow.ts';
import { forEstimate, valueAt } from './form/request.ts';
import { choicesOf, controlOf } from './form/schema.ts';

describe('events', () => {
  it('are the same however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string()), fc.integer({ min: 1, max: 7 }), async (texts, size) => {
        const sent = texts.map((text) => JSON.stringify(text));
        const whole = `retry: 2000\n\n${sent.map((each) => `event: task\ndata: ${each}\n\n: still here\n\n`).join('')}`;
        const bytes = new TextEncoder().encode(whole);
        const stream = new ReadableStream<Uint8Array>({
          start(controller) {
            for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
            controller.close();
          },
        });
        const got: string[] = [];
        for await (const data of eventData(stream)) got.push(data);
        expect(got).toEqual(sent);
      }),
    );
  });
});

describe('a form', () => {
  const schema = {
    properties: {
      duration: { type: 'string' },
      sound: { enum: ['on', 'off'] },
      mode: { type: 'string', default: 'std' },
    },
  };

  it('has nothing that its model cannot do', () => {
    const model = { id: 'm', lengths: [5, 10], resolutions: ['720p', '1080p'], audio: 'never' } as const;
    expect(narrow(schema, model).properties).toEqual({
      duration: { enum: ['5', '10'], default: '5' },
      mode: { enum: ['std', 'pro'], default: 'std' },
    });
  });

  it('has everything for a model that is not known', () => {
    expect(narrow(schema, undefined)).toBe(schema);
    expect(narrow(schema, { id: 'm', resolutions: [] })).toEqual(schema);
  });

  it('has the control that fits', () => {
    expect(controlOf({ type: 'string', 'x-media': 'image' })).toBe('media');
    expect(controlOf({ anyOf: [{ type: 'string' }, { type: 'integer' }] })).toBe('text');
    expect(choicesOf({ anyOf: [{ type: 'integer', minimum: 2, maximum: 4 }, { const: 'auto' }] })).toEqual([
      2,
      3,
      4,
      'auto',
    ]);
    expect(controlOf({ type: 'object', properties: {} })).toBe('json');
  });
});

it('a price is asked with the example where the form is empty, and without files', () => {
  const asked = forEstimate({ image: 'x'.repeat(20_000), n: 2 }, { prompt: 'a fox', n: 1 });
  expect(asked).toEqual({ prompt: 'a fox', n: 2, image: 'https://example.com/file' });
  expect(valueAt({ a: [{ b: 1 }] }, ['a', '0', 'b'])).toBe(1);
});

it('a command survives the shell and holds no key', () => {
  const command = curlCommand('https://k.example', '/api/x', { prompt: "it's $HOME" });
  expect(command).toContain(`-d '{"prompt":"it'\\''s $HOME"}'`);
  expect(command).toContain('Bearer $KLING_KEY');
});
