import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptPictures } from './pictures.ts';

const refused = (image: string): boolean => {
  try {
    acceptPictures({ image });
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
      expect(acceptPictures({ image })).toEqual({ image });
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

  it('may be the pictures themselves, 10 MB at most', () => {
    const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(100)]);
    expect(acceptPictures({ image: `data:image/jpeg;base64,${jpeg.toString('base64')}` })).toEqual({
      image: jpeg.toString('base64'),
    });
    const large = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(10 * 1024 * 1024)]);
    expect(() => acceptPictures({ image: large.toString('base64') })).toThrow('image is larger than 10 MB');
    expect(() => acceptPictures({ image: '/9j/ab*c' })).toThrow('image is not valid Base64');
  });
});
