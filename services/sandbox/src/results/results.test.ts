import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { withLock } from '../../../../test/cluster/lock.ts';
import { findProgram, installPackages } from '../../../../test/cluster/packages.ts';
import { steps, toStderr } from '../../../../test/cluster/progress.ts';
import { drawClip } from './clip.ts';
import { readRange } from './file.ts';
import { toneMp3, toneWav } from './sound.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 300_000 });
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'results-'));

beforeAll(async () => {
  if ((await findProgram('ffprobe')) !== undefined) return;
  await withLock(async () => {
    await installPackages(steps(toStderr), [{ name: 'ffmpeg', program: 'ffprobe' }]);
  });
});

const probeSchema = z.object({
  streams: z.array(
    z.looseObject({ codec_name: z.string(), width: z.number().optional(), height: z.number().optional() }),
  ),
  format: z.looseObject({ duration: z.string() }),
});

/** What ffprobe says of a file, after ffmpeg has decoded all of it without a complaint. */
async function decoded(name: string, bytes: Buffer) {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-xerror', '-i', file, '-f', 'null', '-']);
  expect(stderr).toBe('');
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]);
  const { streams, format } = probeSchema.parse(JSON.parse(stdout));
  return { streams, seconds: Number(format.duration) };
}

/** Loudest and mean of what is heard, in decibels. */
async function loudness(name: string): Promise<number> {
  const { stderr } = await run('ffmpeg', ['-i', join(folder, name), '-af', 'volumedetect', '-f', 'null', '-']);
  return Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)?.[1]);
}

describe('videos', () => {
  it.each([
    ['16:9', 5, true],
    ['9:16', 10, false],
    ['1:1', 3, true],
    ['21:9', 15, false],
  ] as const)('of %s and %d s, sound %s, decode to that', async (aspectRatio, seconds, hasSound) => {
    const bytes = drawClip({ seed: 'a fox', aspectRatio, seconds, hasSound });
    const name = `${aspectRatio.replace(':', '-')}.mp4`;
    const clip = await decoded(name, bytes);
    const [picture, sound] = clip.streams;
    const [across, down] = aspectRatio.split(':').map(Number);
    expect(picture).toMatchObject({ codec_name: 'h264', nb_frames: String(seconds * 8) });
    expect(picture!.width! / picture!.height!).toBeCloseTo(across! / down!, 5);
    expect(clip.seconds).toBeCloseTo(seconds, 2);
    expect(sound?.codec_name).toBe(hasSound ? 'aac' : undefined);
    if (hasSound) expect(await loudness(name)).toBeGreaterThan(-40);
    expect(bytes.length / seconds).toBeLessThan(100_000);
  });

  it('differ by their request, and not from one time to the next', () => {
    const clip = { seed: 'a', aspectRatio: '16:9', seconds: 3, hasSound: false };
    expect(drawClip(clip).equals(drawClip(clip))).toBe(true);
    expect(drawClip(clip).equals(drawClip({ ...clip, seed: 'b' }))).toBe(false);
    expect(drawClip(clip).equals(drawClip({ ...clip, marked: true }))).toBe(false);
  });
});

describe('sounds', () => {
  it.each([
    ['tone.mp3', toneMp3, 'mp3'],
    ['tone.wav', toneWav, 'pcm_s16le'],
  ] as const)('%s decode, as long as asked', async (name, make, codec) => {
    const sound = await decoded(name, make(4.5));
    expect(sound.streams).toMatchObject([{ codec_name: codec }]);
    expect(sound.seconds).toBeCloseTo(4.5, 1);
    expect(await loudness(name)).toBeGreaterThan(-40);
  });
});

describe('ranges', () => {
  it.each([
    ['bytes=0-3', [0, 3]],
    ['bytes=90-', [90, 99]],
    ['bytes=-5', [95, 99]],
    ['bytes=50-500', [50, 99]],
    ['bytes=100-', 'outside'],
    ['bytes=-0', 'outside'],
    ['bytes=3-1', undefined],
    ['bytes=0-1,5-6', undefined],
    ['lines=1-2', undefined],
    [undefined, undefined],
  ])('%s of 100 bytes', (header, expected) => {
    expect(readRange(header, 100)).toEqual(expected);
  });

  it('stay within the file', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 500 }), (from, to, length) => {
        const range = readRange(`bytes=${from}-${to}`, length);
        if (range === undefined || range === 'outside') return;
        expect(range[0] <= range[1] && range[1] < length).toBe(true);
      }),
    );
  });
});
