import fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { HEAD_BYTES, mediaTypeOf } from './media-type.ts';
import { createSizeReader } from './picture-size.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('the type of a file', () => {
  it.each([
    ['\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'image/png'],
    ['\xff\xd8\xff\xe1____Exif____', 'image/jpeg'],
    ['RIFF____WEBPVP8L', 'image/webp'],
    ['RIFF____WAVEfmt ', 'audio/wav'],
    ['\0\0\0\x20ftypisom____', 'video/mp4'],
    ['\0\0\0\x20ftypmp42____', 'video/mp4'],
    ['\0\0\0\x14ftypqt  ____', 'video/quicktime'],
    ['\0\0\0\x1cftypM4A ____', 'audio/mp4'],
    ['ID3\x04____________', 'audio/mpeg'],
    ['\xff\xfb\x90\x64____________', 'audio/mpeg'],
    ['\xff\xf3\x40\xc4____________', 'audio/mpeg'],
    ['\xff\xf1\x50\x80____________', 'audio/aac'],
    ['\0\0\0\x18ftypheic____', undefined],
    ['\0\0\0\x18ftypavif____', undefined],
    ['\xff\xfb\xf0\x64____________', undefined],
    ['<svg xmlns="http', undefined],
    ['<!DOCTYPE html><', undefined],
    ['%PDF-1.7________', undefined],
    ['GIF89a__________', undefined],
    ['RIFF____AVI LIST', undefined],
    ['', undefined],
  ])('%j is %s', (head, type) => expect(mediaTypeOf(bytes(head).subarray(0, HEAD_BYTES))).toBe(type));

  it('is undefined for text, whatever it says', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[<\w\s!/"=-]{0,16}$/), (text) => {
        fc.pre(!text.startsWith('ID3'));
        expect(mediaTypeOf(bytes(text))).toBeUndefined();
      }),
    );
  });
});

describe('the size of a picture', () => {
  const segment = (kind: number, content: Buffer) => {
    const head = Buffer.from([0xff, kind, 0, 0]);
    head.writeUInt16BE(content.length + 2, 2);
    return Buffer.concat([head, content]);
  };
  const jpeg = Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.alloc(14)),
    segment(0xe1, Buffer.alloc(65_533, 0xff)),
    segment(0xe2, Buffer.alloc(40_000)),
    Buffer.from([0xff, 0xff, 0xff]),
    segment(0xdb, Buffer.alloc(65)).subarray(1),
    segment(0xc4, Buffer.alloc(30)),
    segment(0xc2, Buffer.from([8, 0x02, 0x58, 0x03, 0x20, 3])),
  ]);
  const webp = (form: string, content: number[]) =>
    Buffer.concat([bytes('RIFF____WEBP'), bytes(form), Buffer.alloc(4), Buffer.from(content), Buffer.alloc(20)]);
  const pictures = {
    png: ['image/png', PNG.sync.write(new PNG({ width: 640, height: 480 })), { width: 640, height: 480 }],
    jpeg: ['image/jpeg', jpeg, { width: 800, height: 600 }],
    lossy: ['image/webp', webp('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0]), { width: 320, height: 240 }],
    // 14 bits of width - 1, then 14 of height - 1.
    lossless: ['image/webp', webp('VP8L', [0x2f, 0x3f, 0xc1, 0x3b, 0]), { width: 320, height: 240 }],
    extended: ['image/webp', webp('VP8X', [0, 0, 0, 0, 0x3f, 1, 0, 0xef, 0, 0]), { width: 320, height: 240 }],
  } as const;

  it.each(Object.entries(pictures))('is read out of a %s however it comes in pieces', (_name, [type, file, size]) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 40 }), (lengths) => {
        const reader = createSizeReader(type)!;
        let at = 0;
        for (const length of [...lengths, file.length]) {
          reader.push(file.subarray(at, at + length));
          at += length;
        }
        expect(reader.size).toEqual(size);
      }),
      { numRuns: 30 },
    );
    const byByte = createSizeReader(type)!;
    for (const byte of file) byByte.push(Buffer.from([byte]));
    expect(byByte.size).toEqual(size);
  });

  it('is undefined for nonsense, which ends the reading or is passed over', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('image/png', 'image/jpeg', 'image/webp'),
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
        (type, chunks) => {
          const reader = createSizeReader(type)!;
          for (const chunk of chunks) reader.push(Buffer.from(chunk));
          const { size } = reader;
          if (size !== undefined) expect(reader.done && size.width >= 0 && size.height >= 0).toBe(true);
        },
      ),
    );
  });
});
