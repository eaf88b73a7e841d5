import { createHash } from 'node:crypto';

export type Colour = readonly [number, number, number];

/** A landscape at dusk: sky, sun with its glow, ranges of hills in haze. */
export interface Landscape {
  readonly width: number;
  readonly height: number;
  /** Where the sun is, in pixels. */
  readonly sun: { readonly x: number; readonly y: number; readonly radius: number };
  readonly sunColour: Colour;
  /** Colours of a column from top to bottom, without the disc of the sun; and from where down there are hills. */
  column(x: number): { readonly colours: readonly Colour[]; readonly ridge: number };
}

export interface LandscapeOptions {
  /** Decides hue, height of the sun and shape of the hills: the same seed gives the same landscape. */
  readonly seed: string;
  readonly width: number;
  readonly height: number;
  /** Whether the sky is lit around the sun; not where the sun moves. */
  readonly glows: boolean;
  /** With a light band in the lower right corner: the watermark. */
  readonly marked: boolean;
}

export function landscape({ seed, width, height, glows, marked }: LandscapeOptions): Landscape {
  const draw = dice(seed);
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
  const reach = glows ? (sun.radius * 6) ** 2 : 0;

  const pixel = (x: number, y: number, tops: readonly number[]): Colour => {
    for (let depth = ranges.length - 1; depth >= 0; depth -= 1) {
      const top = tops[depth] ?? height;
      // Haze lies in the valleys: the foot of a range fades.
      if (y >= top) return mix(ranges[depth]?.colour ?? horizon, horizon, Math.min(0.25, ((y - top) / height) * 0.6));
    }
    const sky = mix(zenith, horizon, Math.min(1, y / (height * 0.75)) ** 1.4);
    const distance = (x - sun.x) ** 2 + (y - sun.y) ** 2;
    return distance < reach ? mix(sky, sunColour, 0.6 * (1 - Math.sqrt(distance / reach)) ** 2) : sky;
  };

  return {
    ...{ width, height, sun, sunColour },
    column(x) {
      const tops = ranges.map((range) => range.ridge(x));
      const colours = Array.from({ length: height }, (_, y) => {
        const plain = pixel(x, y, tops);
        return marked && x > width * 0.7 && y > height * 0.88 && y < height * 0.95 ? mix(plain, WHITE, 0.6) : plain;
      });
      return { colours, ridge: Math.min(height, ...tops) };
    },
  };
}

const WHITE: Colour = [255, 255, 255];

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
