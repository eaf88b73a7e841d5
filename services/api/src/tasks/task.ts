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
});
export type TaskFile = z.infer<typeof fileSchema>;

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
});
export type Task = z.infer<typeof taskSchema>;

const resultFile = {
  index: z.int().min(0),
  url: z.url().describe('Where Kling keeps it, for 30 days'),
  href: z.string().describe('Path on this service that gives the bytes'),
  link: z.url().optional().describe('The same as a whole address, where the external address of this service is known'),
};
const resultSchema = z.union([
  z.object({ images: z.array(z.object(resultFile)).min(1) }),
  z.object({ videos: z.array(z.object({ ...resultFile, durationSeconds: z.number().optional() })).min(1) }),
]);

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
export const taskReplySchema = z.object({
  ...statusShape,
  request: z.record(z.string(), z.unknown()).describe('What was asked for, with defaults filled in'),
  result: resultSchema.optional().describe('Only when the status is succeeded'),
  charge: z
    .object({ units: z.number() })
    .optional()
    .describe('What Kling took for the task, in units of its resource packs'),
});
export type TaskReply = z.infer<typeof taskReplySchema>;

/** The reply of `GET tasks/{id}/status`: small, for asking often. */
export const taskStatusReplySchema = z.object(statusShape);
export type TaskStatusReply = z.infer<typeof taskStatusReplySchema>;

/** The reply of `GET tasks/{id}/result`, which exists only for a task that succeeded. */
export const taskResultReplySchema = z.object({
  id: z.string(),
  kind: kindSchema,
  status: z.literal('succeeded'),
  result: resultSchema,
  charge: taskReplySchema.shape.charge,
});

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
    request: task.request,
    ...(task.state === 'succeeded' ? { result: describeResult(task, publicUrl) } : {}),
    ...(task.units === null ? {} : { charge: { units: task.units } }),
  };
}

export function describeResult(task: Task, publicUrl: string | undefined): z.infer<typeof resultSchema> {
  const files = task.files.map(({ url, durationSeconds }, index) => {
    const href = `/api/tasks/${task.id}/results/${index}`;
    const link = publicUrl === undefined ? {} : { link: publicUrl + href };
    return { file: { index, url, href, ...link }, duration: durationSeconds === undefined ? {} : { durationSeconds } };
  });
  return ENDPOINTS[task.kind].result === 'images'
    ? { images: files.map(({ file }) => file) }
    : { videos: files.map(({ file, duration }) => ({ ...file, ...duration })) };
}
