import { setTimeout as sleep } from 'node:timers/promises';
import { ENDPOINTS } from '@klingapi/kling';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { breakOff } from '../faults/send.ts';
import { drawClip } from '../results/clip.ts';
import { sendFile } from '../results/file.ts';
import { drawPicture } from '../results/picture.ts';
import { toneMp3, toneWav } from '../results/sound.ts';
import { isDeleted, type SandboxTask, statusAt } from '../tasks/task.ts';
import type { World } from '../world.ts';

const TYPES = { png: 'image/png', mp4: 'video/mp4', mp3: 'audio/mpeg', wav: 'audio/wav' } as const;
type Extension = keyof typeof TYPES;
const fileName = z.templateLiteral([z.int(), z.enum(['.', '.watermark.']), z.enum(['png', 'mp4', 'mp3', 'wav'])]);
const MOST_KEPT = 8;
const SLOW_MS = 5000;

const SAMPLES: Readonly<Record<string, () => Buffer>> = {
  'tone.wav': () => toneWav(2),
  'tone.mp3': () => toneMp3(2),
  'clip.mp4': () => drawClip({ seed: 'clip', aspectRatio: '16:9', seconds: 5, hasSound: true }),
  'face.png': () => drawPicture('face', '1:1', 0),
};

/** Files of tasks, drawn when they are asked for: a few are kept, because players ask for one in pieces. */
export function addResultRoutes(app: FastifyInstance, world: World): void {
  const recent = new Map<string, Buffer>();
  const drawn = (name: string, draw: () => Buffer): Buffer => {
    const bytes = recent.get(name) ?? draw();
    recent.delete(name);
    recent.set(name, bytes);
    const [oldest] = recent.keys();
    if (recent.size > MOST_KEPT && oldest !== undefined) recent.delete(oldest);
    return bytes;
  };

  for (const [name, draw] of Object.entries(SAMPLES)) {
    app.get(`/results/${name}`, (request, reply) => {
      const extension = z.enum(['png', 'mp4', 'mp3', 'wav']).parse(name.split('.').at(-1));
      return sendFile(request, reply, TYPES[extension], drawn(name, draw));
    });
  }

  app.get('/results/:id/:file', async (request, reply) => {
    const { id, file } = z.object({ id: z.string(), file: z.string() }).parse(request.params);
    const task = world.book.byId(id);
    const wanted = task === undefined ? undefined : partOf(task, file);
    const now = world.clock.now();
    if (task === undefined || wanted === undefined || statusAt(task, now) !== 'succeeded' || isDeleted(task, now)) {
      return await refuse(request, reply, 404, 'There is no such result, or it was deleted');
    }
    const { fault, delayMs } = task.struck ?? {};
    if (fault === 'result-404') return await refuse(request, reply, 404, 'There is no such result');
    if (fault === 'result-expired') return await refuse(request, reply, 403, 'The address has expired');
    if (fault === 'result-slow') await sleep(delayMs ?? SLOW_MS, undefined, { ref: false });
    const bytes = drawn(`${id}/${file}`, wanted.draw);
    if (fault === 'result-truncated') return breakOff(reply, 200, wanted.type, bytes);
    return sendFile(request, reply, wanted.type, bytes);
  });
}

function refuse(request: FastifyRequest, reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ code: 1203, message, request_id: request.id });
}

/** The file of a task by its name, such as `0.png` or `0.watermark.mp4`. */
function partOf(task: SandboxTask, file: string): { type: string; draw: () => Buffer } | undefined {
  const name = fileName.safeParse(file);
  const [index = '', ...rest] = file.split('.');
  const marked = rest.length === 2;
  const extension = extensionsOf(task).find((each) => each === rest.at(-1));
  const pictures = task.kind === 'multi-shot-image' ? 9 : task.count;
  if (!name.success || extension === undefined || (marked && !task.hasWatermark) || Number(index) >= pictures) {
    return undefined;
  }
  const { seed, aspectRatio, seconds, hasSound } = task;
  const draw = {
    png: () => drawPicture(seed, aspectRatio, Number(index), marked),
    mp4: () => drawClip({ seed, aspectRatio, seconds, hasSound, marked }),
    mp3: () => toneMp3(seconds),
    wav: () => toneWav(seconds),
  }[extension];
  return { type: TYPES[extension], draw };
}

function extensionsOf(task: SandboxTask): readonly Extension[] {
  if (task.kind === 'video-to-audio') return ['mp4', 'mp3', 'wav'];
  const byResult = { images: ['png'], videos: ['mp4'], audios: ['mp3', 'wav'], voices: ['wav'], elements: [] } as const;
  return byResult[ENDPOINTS[task.kind].result];
}
