/**
 * The least of H.264 that shows real pictures: blocks of 16×16 pixels that are sent
 * as they are (I_PCM), and blocks that stay as in the frame before (P_Skip). Nothing
 * is transformed or predicted, so that a page of code is a whole encoder; frames that
 * change little are tiny. Source: ITU-T H.264 (08/2021), 7.3 and Annex B of it.
 */
export const BLOCK = 16;
const BLOCK_BYTES = 384;

/** Luma, then both colour differences, of one block: 256 + 64 + 64 bytes. */
export type Block = Uint8Array;

export interface H264 {
  /** Sequence and picture parameters, as `avcC` wants them. */
  readonly sps: Buffer;
  readonly pps: Buffer;
  /** A frame that stands for itself. */
  key(blocks: readonly Block[]): Buffer;
  /** A frame that differs from the one before in these blocks, by their place (rows from left to right). */
  change(blocks: ReadonlyMap<number, Block>): Buffer;
}

const NAL = { key: 0x65, change: 0x41, sps: 0x67, pps: 0x68 };
/** Constrained baseline, level 3. */
const PROFILE = [66, 0xc0, 30] as const;
const I_SLICE = 7;
const P_SLICE = 5;
const I_PCM = 25;
const I_PCM_IN_P = 30;

/** @param columns of blocks */
export function createH264(columns: number, rows: number): H264 {
  let frame = 0;
  let keys = 0;

  const header = (type: number, isKey: boolean) => {
    const bits = createBits();
    bits.ue(0);
    bits.ue(type);
    bits.ue(0);
    bits.u(8, frame & 0xff);
    if (isKey) {
      // Neighbouring key frames need different numbers.
      bits.ue(keys & 1);
      bits.u(2, 0);
    } else {
      bits.u(3, 0);
    }
    bits.ue(0);
    // No smoothing of edges: what is sent is what is seen.
    bits.ue(1);
    return bits;
  };
  const sps = createBits();
  for (const byte of PROFILE) sps.u(8, byte);
  // Numbers of frames have 8 bits; pictures are shown in the order that they come; one is kept.
  for (const value of [0, 4, 2, 1]) sps.ue(value);
  sps.u(1, 0);
  sps.ue(columns - 1);
  sps.ue(rows - 1);
  // Whole frames, no cropping, nothing on how to show them.
  sps.u(4, 0b1100);
  const pps = createBits();
  for (const value of [0, 0]) pps.ue(value);
  pps.u(2, 0);
  for (const value of [0, 0, 0]) pps.ue(value);
  pps.u(3, 0);
  for (const value of [0, 0, 0]) pps.ue(value);
  pps.u(3, 0b100);

  return {
    sps: nal(NAL.sps, sps.end()),
    pps: nal(NAL.pps, pps.end()),
    key(blocks) {
      frame = 0;
      keys += 1;
      const bits = header(I_SLICE, true);
      for (const block of blocks) {
        bits.ue(I_PCM);
        bits.bytes(block);
      }
      return sized(nal(NAL.key, bits.end()));
    },
    change(blocks) {
      frame += 1;
      const bits = header(P_SLICE, false);
      let next = 0;
      for (const [place, block] of [...blocks].sort(([a], [b]) => a - b)) {
        bits.ue(place - next);
        bits.ue(I_PCM_IN_P);
        bits.bytes(block);
        next = place + 1;
      }
      const rest = columns * rows - next;
      if (rest > 0) bits.ue(rest);
      return sized(nal(NAL.change, bits.end()));
    },
  };
}

/** MP4 has the length before each unit instead of a start code. */
function sized(unit: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(unit.length);
  return Buffer.concat([length, unit]);
}

/** Three bytes 0, 0, 0 to 3 would look like a start code: a 3 goes between. */
function nal(type: number, payload: Buffer): Buffer {
  const out = Buffer.alloc(1 + Math.ceil(payload.length * 1.5));
  out[0] = type;
  let length = 1;
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}

function createBits() {
  let out = Buffer.alloc(1024);
  let length = 0;
  let current = 0;
  let filled = 0;
  const grow = (more: number) => {
    if (length + more <= out.length) return;
    out = Buffer.concat([out, Buffer.alloc(out.length + more)]);
  };
  const bit = (value: number) => {
    current = (current << 1) | value;
    filled += 1;
    if (filled < 8) return;
    grow(1);
    out[length++] = current;
    current = 0;
    filled = 0;
  };
  const u = (bits: number, value: number) => {
    for (let at = bits - 1; at >= 0; at -= 1) bit((value >>> at) & 1);
  };
  const align = () => {
    while (filled !== 0) bit(0);
  };
  return {
    u,
    /** Exp-Golomb: as many zeros as the number has bits after its first. */
    ue(value: number) {
      const bits = 31 - Math.clz32(value + 1);
      u(bits, 0);
      u(bits + 1, value + 1);
    },
    bytes(block: Block) {
      align();
      grow(BLOCK_BYTES);
      out.set(block, length);
      length += block.length;
    },
    end(): Buffer {
      bit(1);
      align();
      return out.subarray(0, length);
    },
  };
}
