/** Decodes a picture to its last pixel: a file that only begins like one is none. */
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';

export interface Picture {
  type: 'png' | 'jpeg';
  width: number;
  height: number;
}

/** Of what a picture may claim to hold: decoded it takes 4 bytes a pixel, several times. */
const MAX_MEGAPIXELS = 24;
const MAX_MEMORY_IN_MB = 256;

/** @throws Error saying what is wrong with the bytes */
export function decodePicture(bytes: Buffer): Picture {
  if (bytes.length === 0) throw new Error('the picture is empty');
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    // IHDR comes first: 8 bytes of signature, 8 of length and type, then both sides
    if (bytes.length < 24) throw new Error('the PNG ends within its head');
    const claimed = (bytes.readUInt32BE(16) * bytes.readUInt32BE(20)) / 1e6;
    if (claimed > MAX_MEGAPIXELS) throw new Error(`the PNG claims ${Math.round(claimed)} megapixels`);
    const { width, height, data } = PNG.sync.read(bytes);
    if (data.length !== width * height * 4)
      throw new Error(`the PNG of ${width}x${height} has ${data.length} bytes of pixels`);
    return { type: 'png', width, height };
  }
  if (bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))) {
    const { width, height } = jpeg.decode(bytes, {
      maxResolutionInMP: MAX_MEGAPIXELS,
      maxMemoryUsageInMB: MAX_MEMORY_IN_MB,
      tolerantDecoding: false,
    });
    return { type: 'jpeg', width, height };
  }
  throw new Error(`neither PNG nor JPEG: begins with ${bytes.subarray(0, 4).toString('hex')}`);
}
