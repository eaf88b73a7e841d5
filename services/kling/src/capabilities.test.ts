import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENDPOINTS, estimate, impossible, KINDS, MODELS, modelOf, REQUESTS } from './index.ts';
import { wishesOf } from './wishes.ts';

const url = 'https://x.example/a.png';
const video = (body: object) => REQUESTS['text-to-video'].parse({ prompt: 'a fox', ...body });
const fromImage = (body: object) => REQUESTS['image-to-video'].parse({ image: url, ...body });
const fields = (kind: 'text-to-video' | 'image-to-video', body: object) =>
  impossible(kind, kind === 'text-to-video' ? video(body) : fromImage(body)).map(({ field }) => field);

describe('a request that cannot succeed', () => {
  it.each([
    ['text-to-video', { model_name: 'kling-v2-6', duration: '7' }, 'duration'],
    ['text-to-video', { model_name: 'kling-v3', duration: '16' }, 'duration'],
    ['text-to-video', { model_name: 'kling-v2-6', mode: '4k' }, 'mode'],
    ['text-to-video', { model_name: 'kling-v2-5-turbo', sound: 'on' }, 'sound'],
    ['text-to-video', { model_name: 'kling-v2-6', sound: 'on', mode: 'std' }, 'sound'],
    ['text-to-video', { model_name: 'kling-v2-6', multi_shot: true }, 'multi_shot'],
    ['image-to-video', { model_name: 'kling-v2-6', image_tail: url, mode: 'std' }, 'image_tail'],
    ['image-to-video', { model_name: 'kling-v2-6', element_list: [{ element_id: '1' }] }, 'element_list'],
    ['image-to-video', { model_name: 'kling-v2-6', mode: 'pro', voice_list: [{ voice_id: '1' }] }, 'sound'],
    [
      'text-to-video',
      { model_name: 'kling-v3', duration: '5', multi_prompt: [{ index: 1, prompt: 'x', duration: '3' }] },
      'multi_prompt',
    ],
  ] as const)('%s %o is refused for %s', (kind, body, field) => {
    expect(fields(kind, body)).toEqual([field]);
  });

  it('is told with a way out', () => {
    expect(impossible('text-to-video', video({ model_name: 'kling-v2-6', duration: '7' }))).toEqual([
      {
        field: 'duration',
        problem: 'kling-v2-6 makes no video of 7 s',
        hint: 'one of 5, 10 seconds, or another model',
      },
    ]);
  });

  it('of the new family is judged by the fields of that family', () => {
    const request = REQUESTS['new-image-to-video'].parse({
      model_name: 'kling-3.0-turbo',
      contents: [
        { type: 'first_frame', url },
        { type: 'last_frame', url },
      ],
      settings: { resolution: '4k' },
    });
    expect(impossible('new-image-to-video', request).map(({ field }) => field)).toEqual([
      'settings.resolution',
      'contents',
    ]);
  });

  it('grows a picture to more than three times its area', () => {
    const grown = (ratio: number) =>
      REQUESTS['image-expand'].parse({
        ...{ image: url, up_expansion_ratio: ratio, down_expansion_ratio: 0 },
        ...{ left_expansion_ratio: 1, right_expansion_ratio: 0 },
      });
    expect(impossible('image-expand', grown(0.5))).toEqual([]);
    expect(impossible('image-expand', grown(0.6))).toHaveLength(1);
  });
});

it('a model that is not known yet is not judged', () => {
  expect(fields('text-to-video', { model_name: 'kling-v9', duration: '42', mode: '8k', sound: 'on' })).toEqual([]);
});

it('a model that the vendor no longer shows is judged by what was known of it', () => {
  expect(fields('text-to-video', { model_name: 'kling-v1', duration: '15', sound: 'on' })).toEqual([
    'duration',
    'sound',
  ]);
  expect(fields('text-to-video', { model_name: 'kling-v1-6', duration: '10', mode: 'pro' })).toEqual([]);
});

it('what a model says that it can do is never refused', () => {
  const models = MODELS['text-to-video'];
  const modes: Record<string, string> = { '720p': 'std', '1080p': 'pro', '4k': '4k' };
  fc.assert(
    fc.property(fc.constantFrom(...models), fc.nat(), fc.nat(), fc.boolean(), (model, a, b, sound) => {
      const resolution = model.resolutions[a % model.resolutions.length] ?? '720p';
      const seconds = model.lengths?.[b % model.lengths.length];
      const hasSound = sound && model.audio !== 'never' && (model.audioOnlyIn?.includes(resolution) ?? true);
      const body = { model_name: model.id, mode: modes[resolution], duration: seconds, sound: hasSound ? 'on' : 'off' };
      expect(impossible('text-to-video', video(body))).toEqual([]);
      // the vendor tells no price of older ones any more
      if (model.resolutions.length > 0) expect(estimate('text-to-video', video(body))?.units).toBeGreaterThan(0);
    }),
  );
});

describe('an estimate', () => {
  it.each([
    // Deductions that were seen for real, and lines of the price list.
    ['new-text-to-video', { prompt: 'x', settings: { duration: 3 } }, 2.4],
    ['new-omni-video', { contents: [{ type: 'prompt', text: 'x' }], settings: { duration: 3 } }, 1.8],
    ['text-to-image', { prompt: 'x', n: 2 }, 16],
    ['text-to-image', { prompt: 'x', model_name: 'kling-v2-1' }, 4],
    ['omni-image', { prompt: 'x', model_name: 'kling-v3-omni', resolution: '4k' }, 16],
    ['omni-image', { prompt: 'x', result_type: 'series', series_amount: 3 }, 24],
    ['text-to-video', { prompt: 'x' }, 1.5],
    ['text-to-video', { prompt: 'x', model_name: 'kling-v3', mode: 'pro', sound: 'on', duration: 10 }, 12],
    ['image-to-video', { image: url, model_name: 'kling-v3', mode: '4k' }, 15],
  ] as const)('of %s %o is %d units', (kind, body, units) => {
    expect(estimate(kind, REQUESTS[kind].parse(body))?.units).toBe(units);
  });

  it('is that of a second where a given sound decides the length', () => {
    const request = REQUESTS.avatar.parse({ image: url, audio_id: '1' });
    expect(estimate('avatar', request)).toMatchObject({ units: 0.4, per: 'second', usd: 0.056 });
  });

  it('is none for a model without a price', () => {
    expect(estimate('text-to-video', video({ model_name: 'kling-v9' }))).toBeUndefined();
  });
});

it('every kind has an endpoint of its own and models that it knows', () => {
  expect(new Set(KINDS.map((kind) => ENDPOINTS[kind].path)).size).toBe(KINDS.length);
  for (const kind of KINDS) {
    for (const { id } of MODELS[kind]) expect(modelOf(kind, id)?.id).toBe(id);
  }
  expect(wishesOf('text-to-video', video({ mode: 'pro' })).resolution).toBe('1080p');
});
