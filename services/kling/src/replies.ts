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

const asText = z.union([z.string(), z.number()]).transform(String);
const file = z.object({
  index: perhaps(z.int()),
  id: perhaps(z.string()),
  url: z.url(),
  watermark_url: perhaps(z.url()),
  /** Seconds as text, not of pictures. */
  duration: perhaps(asText),
});
export type ResultFile = z.infer<typeof file>;

/** Two forms of one sound; speech has one form alone. */
const sound = z
  .object({
    id: perhaps(z.string()),
    url: perhaps(z.url()),
    url_mp3: perhaps(z.url()),
    url_wav: perhaps(z.url()),
    duration: perhaps(asText),
    duration_mp3: perhaps(asText),
  })
  .transform(({ id, url, url_mp3: mp3, url_wav: wav, duration, duration_mp3: length }) => ({
    id,
    index: undefined,
    url: mp3 ?? url ?? wav,
    watermark_url: undefined,
    duration: length ?? duration,
  }));

/** The nine views of a multi-shot picture come as three rows of three. */
const rowOfViews = z.object({ url_1: z.url(), url_2: z.url(), url_3: z.url() });
const pictures = z.array(z.union([file, rowOfViews])).transform((all) =>
  all.flatMap((each): ResultFile[] =>
    'url' in each
      ? [each]
      : [each.url_1, each.url_2, each.url_3].map((url) => ({
          index: undefined,
          id: undefined,
          url,
          watermark_url: undefined,
          duration: undefined,
        })),
  ),
);
/** Elements and voices: no files of ours to keep, told as they are. */
const things = z.array(z.record(z.string(), z.unknown()));

const legacyResult = z.object({
  images: perhaps(pictures),
  series_images: perhaps(pictures),
  videos: perhaps(z.array(file)),
  audios: perhaps(z.array(sound)),
  elements: perhaps(things),
  voices: perhaps(things),
});

const status = z.enum(['submitted', 'processing', 'succeed', 'succeeded', 'failed']);
const one = (word: z.infer<typeof status>) => (word === 'succeed' ? 'succeeded' : word);
const heard = (all: readonly z.output<typeof sound>[] | undefined): ResultFile[] =>
  (all ?? []).flatMap(({ url, ...rest }) => (url === undefined ? [] : [{ ...rest, url }]));

/**
 * A task as the legacy family tells it. Both spellings of success are taken,
 * because the vendor's families differ. Times are Unix milliseconds.
 */
export const taskData = z
  .object({
    task_id: z.string().min(1),
    task_status: status,
    task_status_msg: perhaps(z.string()),
    task_info: perhaps(z.object({ external_task_id: perhaps(z.string()) })),
    created_at: perhaps(z.number()),
    updated_at: perhaps(z.number()),
    task_result: perhaps(legacyResult),
    final_unit_deduction: perhaps(asText),
  })
  .transform((data) => ({
    id: data.task_id,
    externalId: data.task_info?.external_task_id,
    status: one(data.task_status),
    statusMessage: data.task_status_msg ?? '',
    createdAt: data.created_at,
    updatedAt: data.updated_at,
    images: [...(data.task_result?.images ?? []), ...(data.task_result?.series_images ?? [])],
    videos: data.task_result?.videos ?? [],
    audios: heard(data.task_result?.audios),
    elements: data.task_result?.elements ?? [],
    voices: data.task_result?.voices ?? [],
    /** Units, a decimal as text; told only when the task has ended. */
    units: data.final_unit_deduction,
  }));
export type UpstreamTask = z.output<typeof taskData>;

const output = z.looseObject({
  id: perhaps(z.string()),
  name: perhaps(z.string()),
  element_type: perhaps(z.string()),
  url: perhaps(z.url()),
  watermark_url: perhaps(z.url()),
  mp3_url: perhaps(z.url()),
  wav_url: perhaps(z.url()),
  mp3_duration: perhaps(asText),
  duration: perhaps(asText),
});
const charge = z.object({ charge_type: perhaps(z.string()), amount: perhaps(asText) });

/**
 * A task as the new family, the solutions and `GET /tasks` tell it, whatever
 * family made it. Outputs carry no index: their order is what there is.
 */
export const taskRecord = z
  .object({
    /** One page of the solutions prints `task_id`. */
    id: z.string().min(1).optional(),
    task_id: z.string().min(1).optional(),
    external_id: perhaps(z.string()),
    status,
    message: perhaps(z.string()),
    create_time: perhaps(z.number()),
    update_time: perhaps(z.number()),
    outputs: perhaps(z.array(output)),
    billing: perhaps(z.array(charge)),
  })
  .transform((record, context): UpstreamTask => {
    const id = record.id ?? record.task_id;
    if (id === undefined) {
      context.issues.push({ code: 'custom', message: 'a task without an id', input: record });
      return z.NEVER;
    }
    const sorted = sortOutputs(record.outputs ?? []);
    const units = (record.billing ?? []).filter(({ charge_type }) => charge_type === 'unit');
    return {
      id,
      externalId: record.external_id,
      status: one(record.status),
      statusMessage: record.message ?? '',
      createdAt: record.create_time,
      updatedAt: record.update_time,
      ...sorted,
      units: units.length === 0 ? undefined : String(units.reduce((sum, { amount }) => sum + Number(amount ?? 0), 0)),
    };
  });

type Sorted = Pick<UpstreamTask, 'images' | 'videos' | 'audios' | 'elements' | 'voices'>;

/** Outputs are told apart by the fields that they have. */
function sortOutputs(outputs: readonly z.output<typeof output>[]): Sorted {
  const sorted: Sorted = { images: [], videos: [], audios: [], elements: [], voices: [] };
  for (const { id, name, url, element_type: element, watermark_url, ...more } of outputs) {
    const shared = { index: undefined, id, watermark_url };
    const heardAt = more.mp3_url ?? more.wav_url;
    if (element !== undefined) sorted.elements.push({ element_id: id, element_name: name, element_type: element });
    else if (name !== undefined) sorted.voices.push({ voice_id: id, voice_name: name, trial_url: url });
    else if (heardAt !== undefined) sorted.audios.push({ ...shared, url: heardAt, duration: more.mp3_duration });
    else if (url !== undefined) {
      (more.duration === undefined ? sorted.images : sorted.videos).push({ ...shared, url, duration: more.duration });
    }
  }
  return sorted;
}

/** What a callback brings: the bare task, in the shape of the family that made it. */
export const callbackBody = z.union([taskData, taskRecord]);

export function finished(task: Pick<UpstreamTask, 'status'>): boolean {
  return task.status === 'succeeded' || task.status === 'failed';
}
