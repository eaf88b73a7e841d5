import { PNG } from 'pngjs';
import { landscape } from './landscape.ts';

/** Width and height in pixels of each aspect ratio of the vendor. */
const SIZES: Readonly<Record<string, readonly [number, number]>> = {
  '16:9': [768, 432],
  '9:16': [432, 768],
  '1:1': [576, 576],
  '4:3': [640, 480],
  '3:4': [480, 640],
  '3:2': [720, 480],
  '2:3': [480, 720],
  '21:9': [840, 360],
};

export function pictureSize(aspectRatio: string): readonly [number, number] {
  return SIZES[aspectRatio] ?? [768, 432];
}

/** A landscape as PNG; the same seed and index give the same bytes. */
export function drawPicture(seed: string, aspectRatio: string, index: number, marked = false): Buffer {
  const [width, height] = pictureSize(aspectRatio);
  const { sun, sunColour, column } = landscape({ seed: `${seed}\n${index}`, width, height, glows: true, marked });
  const png = new PNG({ width, height, colorType: 2 });
  const { data } = png;
  for (let x = 0; x < width; x += 1) {
    const { colours, ridge } = column(x);
    for (let y = 0; y < height; y += 1) {
      const isSun = y < ridge && (x - sun.x) ** 2 + (y - sun.y) ** 2 < sun.radius ** 2;
      const [red, green, blue] = (isSun ? sunColour : colours[y]) ?? sunColour;
      const at = (y * width + x) * 4;
      data[at] = red;
      data[at + 1] = green;
      data[at + 2] = blue;
      data[at + 3] = 255;
    }
  }
  return PNG.sync.write(png, { colorType: 2, deflateLevel: 4, filterType: 1 });
}
