import { BLOCK, type Block, createH264 } from './h264.ts';
import { type Colour, landscape } from './landscape.ts';
import { avc1, type Track, writeMp4 } from './mp4.ts';
import { soundTrack } from './sound.ts';

export interface ClipOptions {
  /** Decides the landscape; the same seed gives the same bytes. */
  readonly seed: string;
  readonly aspectRatio: string;
  readonly seconds: number;
  readonly hasSound: boolean;
  /** With a light band in the lower right corner. */
  readonly marked?: boolean;
}

/** Columns and rows of blocks: ratios exactly, so small that a second is some 30 kB. */
const BLOCKS: Readonly<Record<string, readonly [number, number]>> = {
  '16:9': [16, 9],
  '9:16': [9, 16],
  '1:1': [12, 12],
  '4:3': [16, 12],
  '3:4': [12, 16],
  '3:2': [18, 12],
  '2:3': [12, 18],
  '21:9': [21, 9],
};
const FRAMES_A_SECOND = 8;
/** Players jump to key frames. */
const KEY_EVERY = 5 * FRAMES_A_SECOND;

/** The video that a task results in: the sun goes over a landscape, once in its whole length. */
export function drawClip({ seed, aspectRatio, seconds, hasSound, marked = false }: ClipOptions): Buffer {
  const [columns, rows] = BLOCKS[aspectRatio] ?? [16, 9];
  const [width, height] = [columns * BLOCK, rows * BLOCK];
  const { sun, sunColour, column } = landscape({ seed, width, height, glows: false, marked });
  const drawn = Array.from({ length: width }, (_, x) => column(x));
  const count = Math.max(1, Math.round(seconds * FRAMES_A_SECOND));
  const sunAt = (frame: number) => width * (0.1 + (0.8 * frame) / count);

  const blockAt = (place: number, frame: number): Block =>
    makeBlock((place % columns) * BLOCK, Math.floor(place / columns) * BLOCK, (x, y) => {
      const { colours = [], ridge = 0 } = drawn[x] ?? {};
      const isSun = y < ridge && (x - sunAt(frame)) ** 2 + (y - sun.y) ** 2 < sun.radius ** 2;
      return (isSun ? sunColour : colours[y]) ?? sunColour;
    });
  /** Blocks that the sun touches. */
  const touched = (frame: number): number[] => {
    const span = (middle: number, most: number) => {
      const from = Math.max(0, Math.floor((middle - sun.radius) / BLOCK));
      const to = Math.min(most - 1, Math.floor((middle + sun.radius) / BLOCK));
      return Array.from({ length: to - from + 1 }, (_, at) => from + at);
    };
    return span(sun.y, rows).flatMap((row) => span(sunAt(frame), columns).map((at) => row * columns + at));
  };

  const encoder = createH264(columns, rows);
  const frames = Array.from({ length: count }, (_, frame) => {
    if (frame % KEY_EVERY === 0) {
      return encoder.key(Array.from({ length: columns * rows }, (_, place) => blockAt(place, frame)));
    }
    const places = new Set([...touched(frame - 1), ...touched(frame)]);
    return encoder.change(new Map([...places].map((place) => [place, blockAt(place, frame)])));
  });
  const video: Track = {
    ...{ handler: 'vide', description: avc1(encoder.sps, encoder.pps, [width, height]), size: [width, height] },
    ...{
      timescale: 1000,
      samples: frames,
      sampleLength: 1000 / FRAMES_A_SECOND,
      length: (count * 1000) / FRAMES_A_SECOND,
    },
    keys: frames.flatMap((_, at) => (at % KEY_EVERY === 0 ? [at] : [])),
  };
  return writeMp4(hasSound ? [video, soundTrack(count / FRAMES_A_SECOND)] : [video]);
}

/** From red, green and blue to luma and half-size colour differences (BT.601, 16 to 235). */
function makeBlock(left: number, top: number, colour: (x: number, y: number) => Colour): Block {
  const block = new Uint8Array(BLOCK * BLOCK * 1.5);
  const half = BLOCK / 2;
  for (let y = 0; y < BLOCK; y += 1) {
    for (let x = 0; x < BLOCK; x += 1) {
      const [red, green, blue] = colour(left + x, top + y);
      block[y * BLOCK + x] = 16 + 0.257 * red + 0.504 * green + 0.098 * blue;
      if (x % 2 === 1 || y % 2 === 1) continue;
      const at = BLOCK * BLOCK + (y / 2) * half + x / 2;
      block[at] = 128 - 0.148 * red - 0.291 * green + 0.439 * blue;
      block[at + half * half] = 128 + 0.439 * red - 0.368 * green - 0.071 * blue;
    }
  }
  return block;
}
