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

const output = z.object({
  url: perhaps(z.url()),
  duration: perhaps(z.union([z.string(), z.number()]).transform(String)),
});
const charge = z.object({ charge_type: perhaps(z.string()), amount: perhaps(z.union([z.string(), z.number()])) });

/**
 * A task as the new family and `GET /tasks` tell it, whatever family made it.
 * Outputs carry no index: their order is what there is.
 */
export const taskRecord = z
  .object({
    id: z.string().min(1),
    external_id: perhaps(z.string()),
    status: z.enum(['submitted', 'processing', 'succeed', 'succeeded', 'failed']),
    message: perhaps(z.string()),
    create_time: perhaps(z.number()),
    update_time: perhaps(z.number()),
    outputs: perhaps(z.array(output)),
    billing: perhaps(z.array(charge)),
  })
  .transform((record): UpstreamTask => {
    const files = (record.outputs ?? []).flatMap(({ url, duration }) =>
      url === undefined ? [] : [{ index: undefined, id: undefined, url, duration }],
    );
    const units = (record.billing ?? []).filter(({ charge_type }) => charge_type === 'unit');
    return {
      id: record.id,
      externalId: record.external_id,
      status: record.status === 'succeed' ? 'succeeded' : record.status,
      statusMessage: record.message ?? '',
      createdAt: record.create_time,
      updatedAt: record.update_time,
      images: files.filter(({ duration }) => duration === undefined),
      videos: files.filter(({ duration }) => duration !== undefined),
      units: units.length === 0 ? undefined : String(units.reduce((sum, { amount }) => sum + Number(amount ?? 0), 0)),
    };
  });

/** What a callback brings: the bare task, in the shape of the family that made it. */
export const callbackBody = z.union([taskData, taskRecord]);

export function finished(task: Pick<UpstreamTask, 'status'>): boolean {
  return task.status === 'succeeded' || task.status === 'failed';
}
