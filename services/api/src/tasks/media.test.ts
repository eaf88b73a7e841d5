import type { Kind } from '@klingapi/kling';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { acceptMedia } from './media.ts';

const refused = (image: string): boolean => {
  try {
    acceptMedia({ image }, 'image-to-video');
    return false;
  } catch {
    return true;
  }
};

describe('addresses of pictures', () => {
  it('that are private are refused however they are spelled', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const address = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
    );
    fc.assert(
      fc.property(address, ([a, b, c, d]) => {
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        for (const host of [
          `${a}.${b}.${c}.${d}`,
          `${a}.${b}.${c}.${d}.`,
          String(number),
          `0x${number.toString(16)}`,
          `0${a.toString(8)}.${b}.${c}.${d}`,
          `[::ffff:${a}.${b}.${c}.${d}]`,
          `[64:ff9b::${a}.${b}.${c}.${d}]`,
        ]) {
          expect([host, refused(`http://${host}/x.png`)]).toEqual([host, true]);
        }
      }),
    );
  });

  it('that are public are taken as they stand', () => {
    for (const image of ['https://example.com/a.png?x=1', 'http://93.184.215.14/a', 'https://[2606:2800::1]/a']) {
      expect(acceptMedia({ image }, undefined)).toEqual({ image });
    }
  });

  it.each([
    'http://LOCALHOST/',
    'http://a.localhost:80/',
    'http://localhost./',
    'ftp://example.com/',
    'javascript:1',
    'https://',
  ])('%s is refused', (image) => expect(refused(image)).toBe(true));
});

const MB = 1024 * 1024;
const png = (width: number, height: number) => PNG.sync.write(new PNG({ width, height }));
/** What of a JPEG comes before its picture: cameras write as much as they like. */
const jpeg = (width: number, height: number, before = 10, after = 100) => {
  const frame = Buffer.from([0xff, 0xc0, 0, 17, 8, 0, 0, 0, 0, 3]);
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const exif = Buffer.from([0xff, 0xe1, 0, 0]);
  exif.writeUInt16BE(before + 2, 2);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), exif, Buffer.alloc(before), frame, Buffer.alloc(after)]);
};
const accept = (body: object, kind: Kind = 'image-to-video') => acceptMedia(body, kind);
const base64 = (bytes: Buffer) => bytes.toString('base64');

describe('pictures in a request', () => {
  it('go on as bare Base64, wherever in the body they are', () => {
    for (const picture of [png(300, 300), png(750, 300), jpeg(301, 700), jpeg(400, 400, 60_000)]) {
      const image = base64(picture);
      expect(accept({ image: `data:image/jpeg;base64,${image}` })).toEqual({ image });
      expect(accept({ input: { images: [image] } }, 'effects')).toEqual({ input: { images: [image] } });
      const contents = [{ type: 'first_frame', url: image }];
      expect(accept({ contents }, 'new-image-to-video')).toEqual({ contents });
    }
  });

  it.each([
    ['too small', base64(png(299, 400)), 'image has 299 × 400 pixels'],
    ['too long', base64(png(751, 300)), 'image has 751 × 300 pixels'],
    ['too small, as JPEG', base64(jpeg(400, 10)), 'image has 400 × 10 pixels'],
    ['cut off in its header', base64(jpeg(400, 400, 60_000).subarray(0, 5000)), 'image has no header that can be read'],
    ['too large', base64(jpeg(400, 400, 10, 10 * MB)), 'image is larger than 10 MB'],
    ['not all there', `${base64(png(300, 300)).slice(0, -4).replace(/=+$/, '')}A`.slice(0, 101), 'image is not valid'],
    ['in another alphabet', '/9j/ab*c', 'image is not valid Base64'],
    ['a GIF', base64(Buffer.from('GIF89a________________')), 'image is neither an http(s) URL nor a PNG or JPEG'],
    ['a sound', base64(Buffer.from('ID3_____________')), 'image is neither'],
    ['WebP', base64(Buffer.from('RIFF____WEBPVP8 ____________')), 'image is neither'],
    ['words', 'a fox', 'image is neither'],
  ])('that are %s are refused in words', (_name, image, problem) => {
    expect(() => accept({ image })).toThrow(problem);
  });

  it('are refused where Kling takes only an address', () => {
    const contents = [{ type: 'person_image', url: base64(png(300, 300)) }];
    expect(() => accept({ contents }, 'solution-try-on')).toThrow(
      'contents.0.url is Base64, where Kling takes only a URL',
    );
    expect(() => accept({ video_url: 'AAAAIGZ0eXBpc29tAAACAGlzb21pc28y' }, 'video-to-audio')).toThrow(
      'video_url is Base64, where Kling takes only a URL',
    );
  });
});

it('sounds in a request are sounds, 5 MB at most', () => {
  const mp3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(200)]);
  const sound_file = base64(mp3);
  expect(accept({ sound_file }, 'avatar')).toEqual({ sound_file });
  const long = base64(Buffer.concat([mp3, Buffer.alloc(5 * MB)]));
  expect(() => accept({ sound_file: long }, 'avatar')).toThrow('sound_file is larger than 5 MB');
  expect(() => accept({ sound_file: base64(png(300, 300)) }, 'avatar')).toThrow('sound_file is neither');
});
