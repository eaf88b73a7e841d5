import { z } from 'zod';

/** Every reply of the vendor; `data` is absent on some errors, `code` 0 is success whatever the HTTP status. */
export const envelope = z.object({
  code: z.int(),
  message: z.string().default(''),
  request_id: z.string().optional(),
  data: z.unknown().optional(),
});

const file = z.object({
  index: z.int().optional(),
  id: z.string().optional(),
  url: z.url(),
  /** Seconds as text, videos only. */
  duration: z.union([z.string(), z.number()]).transform(String).optional(),
});
export type ResultFile = z.infer<typeof file>;

/**
 * A task as the legacy family tells it. Both spellings of success are taken,
 * because the vendor's families differ. Times are Unix milliseconds.
 */
export const taskData = z
  .object({
    task_id: z.string().min(1),
    task_status: z.enum(['submitted', 'processing', 'succeed', 'succeeded', 'failed']),
    task_status_msg: z.string().optional(),
    task_info: z.object({ external_task_id: z.string().optional() }).optional(),
    created_at: z.number().optional(),
    updated_at: z.number().optional(),
    task_result: z.object({ images: z.array(file).optional(), videos: z.array(file).optional() }).optional(),
    final_unit_deduction: z.union([z.string(), z.number()]).transform(String).optional(),
  })
  .transform((data) => ({
    id: data.task_id,
    externalId: data.task_info?.external_task_id,
    status: data.task_status === 'succeed' ? ('succeeded' as const) : data.task_status,
    statusMessage: data.task_status_msg ?? '',
    createdAt: data.created_at,
    updatedAt: data.updated_at,
    images: data.task_result?.images ?? [],
    videos: data.task_result?.videos ?? [],
    /** Units, a decimal as text; told only when the task has ended. */
    units: data.final_unit_deduction,
  }));
export type UpstreamTask = z.output<typeof taskData>;

export function finished(task: Pick<UpstreamTask, 'status'>): boolean {
  return task.status === 'succeeded' || task.status === 'failed';
}
