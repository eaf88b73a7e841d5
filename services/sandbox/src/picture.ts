import { createHash } from 'node:crypto';
import { PNG } from 'pngjs';

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

type Colour = readonly [number, number, number];

/**
 * Draws a landscape at dusk: sky, sun with its glow, ranges of hills in haze.
 * The prompt decides hue, height of the sun and shape of the hills; the same
 * prompt and index give the same bytes.
 */
export function drawPicture(prompt: string, aspectRatio: string, index: number): Buffer {
  const [width, height] = pictureSize(aspectRatio);
  const draw = dice(`${prompt}\n${index}`);
  const hue = draw() * 360;
  const zenith = colour(hue, 0.55, 0.22);
  const horizon = colour(hue + 150 + draw() * 60, 0.75, 0.72);
  const sunColour = colour(hue + 170 + draw() * 30, 0.9, 0.85);
  const sun = {
    x: width * (0.2 + draw() * 0.6),
    y: height * (0.25 + draw() * 0.3),
    radius: height * (0.05 + draw() * 0.05),
  };
  const ranges = Array.from({ length: 5 }, (_, depth) => ({
    ridge: ridge(draw, width, height, depth),
    colour: mix(horizon, colour(hue + 20, 0.45, 0.12), 0.3 + depth * 0.17),
  }));

  const png = new PNG({ width, height, colorType: 2 });
  const { data } = png;
  const reach = (sun.radius * 6) ** 2;
  for (let x = 0; x < width; x += 1) {
    const tops = ranges.map((range) => range.ridge(x));
    for (let y = 0; y < height; y += 1) {
      let pixel = mix(zenith, horizon, Math.min(1, y / (height * 0.75)) ** 1.4);
      const distance = (x - sun.x) ** 2 + (y - sun.y) ** 2;
      if (distance < sun.radius ** 2) pixel = sunColour;
      else if (distance < reach) pixel = mix(pixel, sunColour, 0.6 * (1 - Math.sqrt(distance / reach)) ** 2);
      for (let depth = ranges.length - 1; depth >= 0; depth -= 1) {
        const top = tops[depth] ?? height;
        if (y < top) continue;
        // Haze lies in the valleys: the foot of a range fades.
        pixel = mix(ranges[depth]?.colour ?? pixel, horizon, Math.min(0.25, ((y - top) / height) * 0.6));
        break;
      }
      const at = (y * width + x) * 4;
      data[at] = pixel[0];
      data[at + 1] = pixel[1];
      data[at + 2] = pixel[2];
      data[at + 3] = 255;
    }
  }
  return PNG.sync.write(png, { colorType: 2, deflateLevel: 4, filterType: 1 });
}

/** The line of a range of hills: three waves, nearer ranges lower and rounder. */
function ridge(draw: () => number, width: number, height: number, depth: number): (x: number) => number {
  const base = height * (0.52 + depth * 0.1);
  const waves = [1, 2.3, 5.1].map((frequency, octave) => ({
    frequency: ((frequency * (1 + draw() * 0.6)) / width) * Math.PI * 2,
    phase: draw() * Math.PI * 2,
    height: (height * 0.06) / (octave + 1),
  }));
  return (x) => waves.reduce((y, wave) => y + Math.sin(x * wave.frequency + wave.phase) * wave.height, base);
}

/** Numbers 0 ≤ x < 1 that the text alone decides. */
function dice(text: string): () => number {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [
    Math.round(from[0] + (to[0] - from[0]) * share),
    Math.round(from[1] + (to[1] - from[1]) * share),
    Math.round(from[2] + (to[2] - from[2]) * share),
  ];
}

/** From hue (degrees), saturation and lightness (0 to 1) to red, green, blue (0 to 255). */
function colour(hue: number, saturation: number, lightness: number): Colour {
  const chroma = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number) => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
