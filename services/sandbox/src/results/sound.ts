import type { Track } from './mp4.ts';
import { mp4a } from './mp4.ts';

/**
 * A steady tone needs one frame: it goes through its period a whole number of times
 * in one, so that the frame repeated is the tone. Both are made by ffmpeg, from
 * `sine=frequency=445.3125` (AAC) and `416.6667` (MP3, `-reservoir 0`) at 24 kHz.
 */
const RATE = 24_000;
const AAC_SAMPLES = 1024;
const AAC_FRAME = Buffer.from(
  'APw0iNZj64bvnrf/0/r/j/7Pr9Or5ZPPMxXnKaqb1zV3gRFOhp487XdTps6g7H3p2yVxbTTpTfUtnSyqUta1FDSpTSaVKaJRQKKlKmjRQp7IoUFVPY0rT2Kp7FRSqlVala+4r7lPdVFK1AqoUVVorVWr3K1e5T3KUpWqlClKijg=',
  'base64',
);
/** Low complexity, 24 kHz, one channel. */
const AAC_CONFIG = Buffer.from([0x13, 0x08]);
const MP3_SAMPLES = 576;
const MP3_FRAME = Buffer.from(
  '//M0xAANai4EALgKYJ0/rhEF1BhR4Eel8GFgfRtW1rGN+jacY+g7Cw3Vv7Y18Y+j9tR36Px2o7vq/fQf378N1fhsmmIKaigA',
  'base64',
);

/** The tone as a track of a video. */
export function soundTrack(seconds: number): Track {
  const length = Math.round(seconds * RATE);
  return {
    ...{ handler: 'soun', description: mp4a(AAC_CONFIG, RATE), timescale: RATE, sampleLength: AAC_SAMPLES, length },
    samples: Array.from({ length: Math.ceil(length / AAC_SAMPLES) }, () => AAC_FRAME),
  };
}

export function toneMp3(seconds: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil((seconds * RATE) / MP3_SAMPLES) }, () => MP3_FRAME));
}

const WAV_RATE = 8000;

/** A quiet 440 Hz tone: WAV, 16 bit, mono. */
export function toneWav(seconds: number): Buffer {
  const count = Math.round(seconds * WAV_RATE);
  const samples = Buffer.alloc(count * 2);
  for (let at = 0; at < count; at += 1) {
    samples.writeInt16LE(Math.round(4000 * Math.sin((2 * Math.PI * 440 * at) / WAV_RATE)), at * 2);
  }
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'ascii');
  header.writeUInt32LE(36 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'ascii');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(WAV_RATE, 24);
  header.writeUInt32LE(WAV_RATE * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'ascii');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
