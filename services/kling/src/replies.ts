import { z } from 'zod';

/** A field that may be absent or null: an unreadable reply to a create is a task that was paid and not seen. */
function perhaps<S extends z.ZodType>(schema: S) {
  return schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional();
}

/** Every reply of the vendor; `data` is absent on some errors, `code` 0 is success whatever the HTTP status. */
export const envelope = z.object({
  code: z.int(),
  message: z
    .string()
    .nullish()
    .transform((text) => text ?? ''),
  request_id: perhaps(z.string()),
  data: z.unknown().optional(),
});

const file = z.object({
  index: perhaps(z.int()),
  id: perhaps(z.string()),
  url: z.url(),
  /** Seconds as text, videos only. */
  duration: perhaps(z.union([z.string(), z.number()]).transform(String)),
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
    task_status_msg: perhaps(z.string()),
    task_info: perhaps(z.object({ external_task_id: perhaps(z.string()) })),
    created_at: perhaps(z.number()),
    updated_at: perhaps(z.number()),
    task_result: perhaps(z.object({ images: perhaps(z.array(file)), videos: perhaps(z.array(file)) })),
    final_unit_deduction: perhaps(z.union([z.string(), z.number()]).transform(String)),
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
