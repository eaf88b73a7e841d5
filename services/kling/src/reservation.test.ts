import { describe, expect, it } from 'vitest';
import { EXAMPLES, estimate, KINDS, REQUESTS, reservation } from './index.ts';

const image = 'https://x.example/a.png';
const video = 'https://x.example/a.mp4';

describe('what a limit sets aside', () => {
  it.each([
    // The price list, where it knows the length.
    ['text-to-video', { prompt: 'x' }, 1.5],
    ['omni-image', { prompt: 'x', result_type: 'series', series_amount: 'auto' }, 72],
    ['element', EXAMPLES.element, 0],
    // The longest, where a file decides.
    ['avatar', { image, audio_id: '1', mode: 'pro' }, 240],
    ['motion-control', EXAMPLES['motion-control'], 15],
    ['face-lip-sync', EXAMPLES['face-lip-sync'], 6],
    ['new-omni-video', { contents: [{ type: 'base_video', url: video }] }, 14.4],
    // The dearest, where there is no price.
    ['virtual-try-on', { human_image: image, cloth_image: image }, 20],
    ['text-to-image', { prompt: 'x', model_name: 'kling-v9', n: 9 }, 180],
    ['text-to-video', { prompt: 'x', model_name: 'kling-v1-6', duration: '10' }, 30],
    ['text-to-video', { prompt: 'x', model_name: 'kling-v2-master', duration: '0' }, 9],
    ['text-to-video', { prompt: 'x', model_name: 'kling-v9', duration: '99' }, 240],
    ['effects', EXAMPLES.effects, 45],
    ['solution-subtitle', EXAMPLES['solution-subtitle'], 240],
    ['solution-goods', EXAMPLES['solution-goods'], 45],
  ] as const)('for %s %o is %d units', (kind, body, units) => {
    expect(reservation(kind, REQUESTS[kind].parse(body))).toBe(units);
  });

  it.each(KINDS)('for %s is something, and no less than what is told to people', (kind) => {
    const request = REQUESTS[kind].parse(EXAMPLES[kind]);
    const units = reservation(kind, request);
    if (kind !== 'element') expect(units).toBeGreaterThan(0);
    expect(units).toBeGreaterThanOrEqual(estimate(kind, request)?.units ?? 0);
  });
});
