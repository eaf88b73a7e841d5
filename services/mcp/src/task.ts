import { z } from 'zod';

/** Words of the API for the state of a task. */
export const taskStatusSchema = z.enum(['submitted', 'processing', 'succeeded', 'failed']);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

const fileSchema = z.looseObject({
  index: z.int().nonnegative().optional(),
  url: z.string().optional().describe('Where the vendor keeps the file, for a limited time'),
  href: z.string().optional().describe('Where the API service keeps the file'),
});

const resultSchema = z.looseObject({
  images: z.array(fileSchema).optional(),
  videos: z.array(fileSchema).optional(),
});

/**
 * A task as the API tells it. Only what this service reads is named; the rest goes
 * through, so that a newer API does not need a newer MCP service.
 */
export const taskSchema = z.looseObject({
  id: z.string(),
  kind: z.string().optional(),
  status: taskStatusSchema,
  createdAt: z.string().optional(),
  updatedAt: z.string().optional(),
  result: resultSchema.nullish(),
  error: z.looseObject({ code: z.union([z.string(), z.number()]).nullish(), message: z.string().nullish() }).nullish(),
});
export type Task = z.infer<typeof taskSchema>;

export function isDone(status: TaskStatus): boolean {
  return status === 'succeeded' || status === 'failed';
}
