import { describe, expect, it } from 'vitest';
import { withoutDescriptions } from './described-media.ts';
import { describeMedia } from './media.ts';

const BASE64 = Buffer.alloc(300).toString('base64');

describe('a request that is told again', () => {
  it('has no words in the place of files, and everything else as it was', () => {
    const given = {
      prompt: '<<<image_1>>> beside <<<image_2>>>',
      image: BASE64,
      image_list: [{ image: BASE64 }, { image: 'https://example.com/a.png' }],
      input: { images: [BASE64, 'upload:1', BASE64], sound_file: BASE64, mode: 'std' },
    };
    expect(withoutDescriptions(describeMedia(given))).toEqual({
      prompt: '<<<image_1>>> beside <<<image_2>>>',
      image_list: [{}, { image: 'https://example.com/a.png' }],
      input: { images: ['upload:1'], mode: 'std' },
    });
  });

  it('keeps a prompt that only speaks of one', () => {
    const request = { prompt: 'a (picture of 12 bytes) in a frame', n: 1, list: [null, 0, false] };
    expect(withoutDescriptions(request)).toEqual(request);
  });
});
