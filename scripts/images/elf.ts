/** Reads what an ELF file says about itself: its machine, its loader, the libraries it needs. */
import { open } from 'node:fs/promises';

export type Arch = 'amd64' | 'arm64';

export interface Elf {
  /** `amd64`, `arm64`, or the number of any other machine. */
  readonly machine: Arch | number;
  /** Absolute path of the loader; absent in libraries and static programs. */
  readonly interpreter: string | undefined;
  /** Names as in `libc.so.6`. */
  readonly needed: readonly string[];
}

// Source: System V ABI, generic part (elf.h): e_machine, p_type, d_tag.
const MACHINES: Readonly<Record<number, Arch>> = { 62: 'amd64', 183: 'arm64' };
const [PT_LOAD, PT_DYNAMIC, PT_INTERP] = [1, 2, 3];
const [DT_NULL, DT_NEEDED, DT_STRTAB] = [0, 1, 5];
const HEADER_BYTES = 64;
const LONGEST_NAME = 4096;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

/** @returns undefined when the file is no 64-bit little-endian ELF file */
export async function readElf(path: string): Promise<Elf | undefined> {
  const file = await open(path, 'r');
  try {
    const read = async (offset: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    };
    const header = await read(0, HEADER_BYTES);
    if (header.length < HEADER_BYTES || header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
    const segments = await readSegments(header, read);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    const number = header.readUInt16LE(18);
    return {
      machine: MACHINES[number] ?? number,
      interpreter: interpreter === undefined ? undefined : text(await read(interpreter.offset, interpreter.bytes)),
      needed: await readNeeded(segments, read),
    };
  } finally {
    await file.close();
  }
}

type Read = (offset: number, length: number) => Promise<Buffer>;

async function readSegments(header: Buffer, read: Read): Promise<readonly Segment[]> {
  const [offset, size, count] = [Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56)];
  const table = await read(offset, size * count);
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * size, (index + 1) * size);
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      bytes: Number(entry.readBigUInt64LE(32)),
    };
  });
}

async function readNeeded(segments: readonly Segment[], read: Read): Promise<readonly string[]> {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const table = await read(dynamic.offset, dynamic.bytes);
  const names: number[] = [];
  let strings = 0;
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const [tag, value] = [Number(table.readBigInt64LE(at)), Number(table.readBigUInt64LE(at + 8))];
    if (tag === DT_NULL) break;
    if (tag === DT_NEEDED) names.push(value);
    if (tag === DT_STRTAB) strings = value;
  }
  // The table of strings is given by its address in memory.
  const holder = segments.find(
    ({ type, address, bytes }) => type === PT_LOAD && address <= strings && strings < address + bytes,
  );
  if (holder === undefined) return [];
  const start = strings - holder.address + holder.offset;
  return Promise.all(names.map(async (name) => text(await read(start + name, LONGEST_NAME))));
}

/** Up to the first zero byte. */
function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}
