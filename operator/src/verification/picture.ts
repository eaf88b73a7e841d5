/** Decodes a picture to its last pixel: a file that only begins like one is none. */
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';

export interface Picture {
  type: 'png' | 'jpeg';
  width: number;
  height: number;
}

const MAX_PIXELS_IN_MEGA = 64;

/** @throws Error saying what is wrong with the bytes */
export function decodePicture(bytes: Buffer): Picture {
  if (bytes.length === 0) throw new Error('the picture is empty');
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) {
    const { width, height, data } = PNG.sync.read(bytes);
    if (data.length !== width * height * 4)
      throw new Error(`the PNG of ${width}x${height} has ${data.length} bytes of pixels`);
    return { type: 'png', width, height };
  }
  if (bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))) {
    const { width, height } = jpeg.decode(bytes, { maxResolutionInMP: MAX_PIXELS_IN_MEGA, tolerantDecoding: false });
    return { type: 'jpeg', width, height };
  }
  throw new Error(`neither PNG nor JPEG: begins with ${bytes.subarray(0, 4).toString('hex')}`);
}
