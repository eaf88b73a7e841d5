/** A track of an MP4 file: its samples in order, all of one length but perhaps the last. */
export interface Track {
  readonly handler: 'vide' | 'soun';
  /** What `stsd` holds. */
  readonly description: Buffer;
  /** Units in a second. */
  readonly timescale: number;
  readonly samples: readonly Buffer[];
  /** Of each sample, in units. */
  readonly sampleLength: number;
  /** Of the whole track, in units. */
  readonly length: number;
  /** Places of samples that stand for themselves; absent: all do. */
  readonly keys?: readonly number[];
  /** In pixels, of a picture. */
  readonly size?: readonly [number, number];
}

const MOVIE_TIMESCALE = 1000;

/**
 * An MP4 file that can be played while it comes: what describes it is at the
 * beginning, and the tracks alternate by the second. Source: ISO/IEC 14496-12.
 */
export function writeMp4(tracks: readonly Track[]): Buffer {
  const ftyp = box('ftyp', text('isom'), u32(512), text('isomiso2avc1mp41'));
  const chunks = interleave(tracks);
  // The places of the samples are in the description, whose length does not depend on them.
  const described = moov(tracks, chunks, 0).length;
  const media = box('mdat', ...chunks.map(({ bytes }) => bytes));
  return Buffer.concat([ftyp, moov(tracks, chunks, ftyp.length + described + 8), media]);
}

interface Chunk {
  readonly track: Track;
  readonly samples: number;
  readonly bytes: Buffer;
}

function interleave(tracks: readonly Track[]): readonly Chunk[] {
  const seconds = Math.max(...tracks.map(({ length, timescale }) => Math.ceil(length / timescale)));
  return Array.from({ length: seconds }, (_, second) =>
    tracks.flatMap((track): Chunk[] => {
      const start = (at: number) => Math.ceil((at * track.timescale) / track.sampleLength);
      const samples = track.samples.slice(start(second), second === seconds - 1 ? undefined : start(second + 1));
      return samples.length === 0 ? [] : [{ track, samples: samples.length, bytes: Buffer.concat(samples) }];
    }),
  ).flat();
}

function moov(tracks: readonly Track[], chunks: readonly Chunk[], mediaAt: number): Buffer {
  let at = mediaAt;
  const placed = chunks.map((chunk) => {
    const place = at;
    at += chunk.bytes.length;
    return { ...chunk, at: place };
  });
  const length = Math.max(...tracks.map(movieLength));
  const mvhd = full(
    'mvhd',
    u32(0, 0, MOVIE_TIMESCALE, length, 0x10000),
    u16(0x100, 0),
    u32(0, 0),
    MATRIX,
    u32(0, 0, 0, 0, 0, 0, tracks.length + 1),
  );
  return box(
    'moov',
    mvhd,
    ...tracks.map((track, index) =>
      trak(
        track,
        index + 1,
        placed.filter((chunk) => chunk.track === track),
      ),
    ),
  );
}

const movieLength = ({ length, timescale }: Track) => Math.round((length / timescale) * MOVIE_TIMESCALE);

function trak(track: Track, id: number, chunks: readonly { samples: number; at: number }[]): Buffer {
  const [width, height] = track.size ?? [0, 0];
  const isSound = track.handler === 'soun';
  const tkhd = box(
    'tkhd',
    u32(3, 0, 0, id, 0, movieLength(track), 0, 0),
    u16(0, 0, isSound ? 0x100 : 0, 0),
    MATRIX,
    u32(width << 16, height << 16),
  );
  const mdhd = full('mdhd', u32(0, 0, track.timescale, track.length), u16(UNDETERMINED, 0));
  const hdlr = full('hdlr', u32(0), text(track.handler), u32(0, 0, 0), text(`${isSound ? 'Sound' : 'Video'}\0`));
  const kind = isSound ? full('smhd', u32(0)) : box('vmhd', u32(1), u16(0, 0, 0, 0));
  const dinf = box('dinf', full('dref', u32(1), box('url ', u32(1))));
  return box('trak', tkhd, box('mdia', mdhd, hdlr, box('minf', kind, dinf, table(track, chunks))));
}

function table(track: Track, chunks: readonly { samples: number; at: number }[]): Buffer {
  const { samples, sampleLength, length, keys } = track;
  const last = length - sampleLength * (samples.length - 1);
  const times =
    last === sampleLength ? u32(1, samples.length, sampleLength) : u32(2, samples.length - 1, sampleLength, 1, last);
  return box(
    'stbl',
    full('stsd', u32(1), track.description),
    full('stts', times),
    ...(keys === undefined ? [] : [full('stss', u32(keys.length, ...keys.map((place) => place + 1)))]),
    full('stsc', u32(chunks.length, ...chunks.flatMap((chunk, index) => [index + 1, chunk.samples, 1]))),
    full('stsz', u32(0, samples.length, ...samples.map((sample) => sample.length))),
    full('stco', u32(chunks.length, ...chunks.map((chunk) => chunk.at))),
  );
}

/** Of H.264 pictures. */
export function avc1(sps: Buffer, pps: Buffer, [width, height]: readonly [number, number]): Buffer {
  const parameters = (all: Buffer) => Buffer.concat([u16(all.length), all]);
  const avcC = box(
    'avcC',
    Buffer.from([1, ...sps.subarray(1, 4), 0xff, 0xe1]),
    parameters(sps),
    Buffer.from([1]),
    parameters(pps),
  );
  return box(
    'avc1',
    u32(0),
    u16(0, 1),
    u32(0, 0, 0, 0),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    Buffer.alloc(32),
    u16(24, 0xffff),
    avcC,
  );
}

/** Of AAC sound, one channel. @param config AudioSpecificConfig */
export function mp4a(config: Buffer, rate: number): Buffer {
  const sized = (tag: number, ...parts: Buffer[]) => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag, content.length]), content]);
  };
  const decoder = sized(4, Buffer.from([0x40, 0x15, 0, 0, 0]), u32(0, 0), sized(5, config));
  const esds = full('esds', sized(3, u16(1), Buffer.from([0]), decoder, sized(6, Buffer.from([2]))));
  return box('mp4a', u32(0), u16(0, 1), u32(0, 0), u16(1, 16, 0, 0), u32(rate << 16), esds);
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
/** Of language, three letters of five bits. */
const UNDETERMINED = 0x55c4;

function box(type: string, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([u32(content.length + 8), text(type), content]);
}

/** With a version and flags, both 0. */
function full(type: string, ...parts: Buffer[]): Buffer {
  return box(type, u32(0), ...parts);
}

function text(content: string): Buffer {
  return Buffer.from(content, 'latin1');
}

function u32(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) out.writeUInt32BE(value >>> 0, at * 4);
  return out;
}

function u16(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 2);
  for (const [at, value] of values.entries()) out.writeUInt16BE(value, at * 2);
  return out;
}
