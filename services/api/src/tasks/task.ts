import { ENDPOINTS, kindSchema } from '@klingapi/kling';
import { z } from 'zod';

/**
 * `queued`: stored, and Kling certainly does not have it. `submitting`: whether
 * Kling has it is not known yet. Callers see both as `submitted`; nothing that
 * they could do differs.
 */
export const stateSchema = z.enum(['queued', 'submitting', 'submitted', 'processing', 'succeeded', 'failed']);
export type State = z.infer<typeof stateSchema>;

export const taskErrorSchema = z.object({
  code: z.string().describe('Stable; begins with upstream_ when Kling is the cause'),
  message: z.string(),
});
export type TaskError = z.infer<typeof taskErrorSchema>;

/** What is known of a result that this service keeps itself. */
export const keptSchema = z.object({ etag: z.string(), type: z.string(), bytes: z.int().min(0) });
export type Kept = z.infer<typeof keptSchema>;

export const fileSchema = z.object({
  url: z.url(),
  durationSeconds: z.number().optional(),
  kept: keptSchema.optional(),
  /** The time to keep it is over. */
  deleted: z.boolean().optional(),
  /** Absent: what the kind of task usually gives. */
  group: z.enum(['images', 'videos', 'audios']).optional(),
  /** Kling's id of the file, which other tasks can build on. */
  vendorId: z.string().optional(),
  watermarkUrl: z.url().optional(),
});
export type TaskFile = z.infer<typeof fileSchema>;

const thing = z.record(z.string(), z.unknown());
/** What a result has besides files, in the words of Kling. */
export const detailsSchema = z.object({ elements: z.array(thing).optional(), voices: z.array(thing).optional() });
export type Details = z.infer<typeof detailsSchema>;

/** A task as it is stored. Times are Unix milliseconds. */
export const taskSchema = z.object({
  id: z.string(),
  subject: z.string(),
  kind: kindSchema,
  state: stateSchema,
  createdAt: z.number(),
  updatedAt: z.number(),
  /** What was asked for; pictures that came as Base64 are only described. */
  request: z.record(z.string(), z.unknown()),
  upstreamId: z.string().nullable(),
  files: z.array(fileSchema),
  error: taskErrorSchema.nullable(),
  units: z.number().nullable(),
  /** When to ask Kling next; null when there is nothing to ask. */
  pollAt: z.number().nullable(),
  /** The caller's own id of it. */
  externalId: z.string().optional(),
  details: detailsSchema.optional(),
  /** Where the caller is told of changes, and how often that failed in a row. */
  callbackUrl: z.string().optional(),
  notifyAttempts: z.number().optional(),
});
export type Task = z.infer<typeof taskSchema>;

const resultFile = {
  index: z.int().min(0),
  url: z.url().describe('Where Kling keeps it, for 30 days'),
  href: z.string().describe('Path on this service that gives the bytes'),
  link: z.url().optional().describe('The same as a whole address, where the external address of this service is known'),
};
const more = {
  vendorId: z.string().optional().describe('Id that Kling knows it by; other tasks can build on it'),
  watermarkUrl: z.url().optional(),
  durationSeconds: z.number().optional(),
};
const files = z.array(z.object({ ...resultFile, ...more })).min(1);
const resultSchema = z
  .object({
    images: files.optional(),
    videos: files.optional(),
    audios: files.optional(),
    elements: z.array(thing).optional(),
    voices: z.array(thing).optional(),
  })
  .describe('What the task made; as a rule one of these');

const statusShape = {
  id: z.string(),
  kind: kindSchema,
  status: z.enum(['submitted', 'processing', 'succeeded', 'failed']),
  queued: z.literal(true).optional().describe('Only while Kling takes no more tasks: this one waits here for room'),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  error: taskErrorSchema.optional().describe('Only when the status is failed'),
};

/** The reply of every create, of `GET tasks/{id}` and of `wait`. */
export const taskReplySchema = z
  .object({
    ...statusShape,
    externalId: z.string().optional().describe('The id that the caller gave it'),
    request: z.record(z.string(), z.unknown()).describe('What was asked for, with defaults filled in'),
    result: resultSchema.optional().describe('Only when the status is succeeded'),
    charge: z
      .object({ units: z.number() })
      .optional()
      .describe('What Kling took for the task, in units of its resource packs'),
  })
  .meta({ id: 'Task' });
export type TaskReply = z.infer<typeof taskReplySchema>;

/** The reply of `GET tasks/{id}/status`: small, for asking often. */
export const taskStatusReplySchema = z.object(statusShape).meta({ id: 'TaskStatus' });
export type TaskStatusReply = z.infer<typeof taskStatusReplySchema>;

/** The reply of `GET tasks/{id}/result`, which exists only for a task that succeeded. */
export const taskResultReplySchema = z
  .object({
    id: z.string(),
    kind: kindSchema,
    status: z.literal('succeeded'),
    result: resultSchema,
    charge: taskReplySchema.shape.charge,
  })
  .meta({ id: 'TaskResult' });

export function hasEnded(task: Pick<Task, 'state'>): boolean {
  return task.state === 'succeeded' || task.state === 'failed';
}

export function describeStatus(task: Task): TaskStatusReply {
  return {
    id: task.id,
    kind: task.kind,
    status: task.state === 'queued' || task.state === 'submitting' ? 'submitted' : task.state,
    ...(task.state === 'queued' ? { queued: true } : {}),
    createdAt: new Date(task.createdAt).toISOString(),
    updatedAt: new Date(task.updatedAt).toISOString(),
    ...(task.error === null ? {} : { error: task.error }),
  };
}

/** @param publicUrl the external address of this service, for links */
export function describeTask(task: Task, publicUrl: string | undefined): TaskReply {
  return {
    ...describeStatus(task),
    ...(task.externalId === undefined ? {} : { externalId: task.externalId }),
    request: task.request,
    ...(task.state === 'succeeded' ? { result: describeResult(task, publicUrl) } : {}),
    ...(task.units === null ? {} : { charge: { units: task.units } }),
  };
}

export function describeResult(task: Task, publicUrl: string | undefined): z.infer<typeof resultSchema> {
  const result: z.infer<typeof resultSchema> = {};
  task.files.forEach(({ url, durationSeconds, group, vendorId, watermarkUrl }, index) => {
    const href = `/api/tasks/${task.id}/results/${index}`;
    const file = {
      ...{ index, url, href },
      ...(publicUrl === undefined ? {} : { link: publicUrl + href }),
      ...(durationSeconds === undefined ? {} : { durationSeconds }),
      ...(vendorId === undefined ? {} : { vendorId }),
      ...(watermarkUrl === undefined ? {} : { watermarkUrl }),
    };
    const where = group ?? fileGroupOf(task.kind);
    result[where] = [...(result[where] ?? []), file];
  });
  return { ...result, ...task.details };
}

/** Older rows name no group; elements and voices have no files. */
export function fileGroupOf(kind: Task['kind']): 'images' | 'videos' | 'audios' {
  const { result } = ENDPOINTS[kind];
  return result === 'elements' || result === 'voices' ? 'images' : result;
}
