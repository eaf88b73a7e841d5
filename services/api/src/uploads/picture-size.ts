import type { MediaType } from './media-type.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a reader of a header wants next: to pass over so many bytes, and to be given the ones after them. */
interface Wanted {
  readonly skip: number;
  readonly take: number;
}
type Reading = Generator<Wanted, PictureSize | undefined, Buffer>;

/** Takes a file piece by piece, in order, and keeps nothing of what it has passed. */
export interface SizeReader {
  push(chunk: Buffer): void;
  /** Undefined as long as the header is not read, and for one that makes no sense. */
  readonly size: PictureSize | undefined;
  /** Whether more bytes change nothing. */
  readonly done: boolean;
}

/** More segments than any camera writes before the picture begins. */
const MOST_SEGMENTS = 1000;
const FILL = 0xff;

/** Width and height in pixels out of the header of a picture; undefined for what is no picture. */
export function createSizeReader(type: MediaType): SizeReader | undefined {
  if (type === 'image/png') return drive(png());
  if (type === 'image/jpeg') return drive(jpeg());
  return type === 'image/webp' ? drive(webp()) : undefined;
}

function drive(reading: Reading): SizeReader {
  let step = reading.next();
  let skip = step.done === true ? 0 : step.value.skip;
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      let rest = chunk;
      while (step.done !== true) {
        const passed = Math.min(skip, rest.length);
        skip -= passed;
        rest = rest.subarray(passed);
        if (skip > 0) return;
        const missing = step.value.take - held.length;
        held = Buffer.concat([held, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (held.length < step.value.take) return;
        step = reading.next(held);
        held = Buffer.alloc(0);
        skip = step.done === true ? 0 : step.value.skip;
      }
    },
    get size() {
      return step.done === true ? step.value : undefined;
    },
    get done() {
      return step.done === true;
    },
  };
}

function* png(): Reading {
  const header = yield { skip: 12, take: 12 };
  if (header.toString('latin1', 0, 4) !== 'IHDR') return undefined;
  return { width: header.readUInt32BE(4), height: header.readUInt32BE(8) };
}

/** Segment by segment to the frame header: what cameras write before it (EXIF, thumbnails, colour profiles) is passed over. */
function* jpeg(): Reading {
  let skip = 2;
  for (let segments = 0; segments < MOST_SEGMENTS; segments += 1) {
    const [mark] = yield { skip, take: 1 };
    let [kind = 0] = yield { skip: 0, take: 1 };
    // A marker may have any number of fill bytes; more than a few are an attempt to keep this busy.
    for (let fill = 0; kind === FILL && fill < MOST_SEGMENTS; fill += 1) [kind = 0] = yield { skip: 0, take: 1 };
    if (mark !== 0xff || kind === FILL) return undefined;
    if (isFrame(kind)) {
      const header = yield { skip: 3, take: 4 };
      return { height: header.readUInt16BE(0), width: header.readUInt16BE(2) };
    }
    // The picture itself begins, or ends, and no frame header came.
    if (kind === 0xda || kind === 0xd9) return undefined;
    const hasNoLength = kind === 0x01 || (kind >= 0xd0 && kind <= 0xd8);
    skip = hasNoLength ? 0 : (yield { skip: 0, take: 2 }).readUInt16BE(0) - 2;
    if (skip < 0) return undefined;
  }
  return undefined;
}

/** SOF0 to SOF15 without the three of that range that are something else. */
function isFrame(kind: number): boolean {
  return kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc;
}

function* webp(): Reading {
  const header = yield { skip: 12, take: 18 };
  const form = header.toString('latin1', 0, 4);
  if (form === 'VP8X') return { width: header.readUIntLE(12, 3) + 1, height: header.readUIntLE(15, 3) + 1 };
  if (form === 'VP8 ') return { width: header.readUInt16LE(14) & 0x3fff, height: header.readUInt16LE(16) & 0x3fff };
  if (form !== 'VP8L') return undefined;
  const bits = header.readUInt32LE(9);
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

const LEAST_SIDE = 300;
const LARGEST_RATIO = 2.5;

/** Why Kling would refuse a picture of this size: rules that all of its fields share. Pure. */
export function sizeProblem(size: PictureSize | undefined): { problem: string; hint: string } | undefined {
  if (size === undefined) return { problem: 'has no header that can be read', hint: 'send the whole file, unchanged' };
  const [short, long] = [Math.min(size.width, size.height), Math.max(size.width, size.height)];
  const told = `has ${size.width} × ${size.height} pixels`;
  if (short < LEAST_SIDE) return { problem: told, hint: `each side needs ${LEAST_SIDE} at least` };
  if (long > short * LARGEST_RATIO) {
    return { problem: told, hint: `the longer side may be ${LARGEST_RATIO} times the other at most` };
  }
  return undefined;
}
