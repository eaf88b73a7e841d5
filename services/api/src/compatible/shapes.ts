import { ENDPOINTS, type Endpoint } from '@klingapi/kling';
import { z } from 'zod';
import { packOf } from '../catalogue/packs.ts';
import { describeStatus, fileGroupOf, type Task, type TaskFile } from '../tasks/task.ts';

/** What is said about a task in the words of Kling. */
export type Told = Record<string, unknown>;

const legacyTaskSchema = z
  .looseObject({
    task_id: z.string(),
    task_status: z.enum(['submitted', 'processing', 'succeed', 'failed']),
    task_status_msg: z.string().optional(),
    task_info: z.looseObject({ external_task_id: z.string().optional() }).optional(),
    created_at: z.int(),
    updated_at: z.int(),
    task_result: z.looseObject({}).optional().describe('images, videos, audios, elements or voices; only of succeed'),
    final_unit_deduction: z.string().optional(),
  })
  .meta({ id: 'KlingTask' });
const newerTaskSchema = z
  .looseObject({
    id: z.string(),
    status: z.enum(['submitted', 'processing', 'succeeded', 'failed']),
    message: z.string(),
    create_time: z.int(),
    update_time: z.int(),
    external_id: z.string().optional(),
    outputs: z.array(z.looseObject({})).optional(),
    billing: z.array(z.object({ charge_type: z.string(), amount: z.string(), package_type: z.string() })).optional(),
  })
  .meta({ id: 'KlingRecord' });

/** What {@link taskAs} gives, as a schema. */
export function taskIn(family: Endpoint['family']): z.ZodType<Told> {
  return family === 'legacy' ? legacyTaskSchema : newerTaskSchema;
}

/** A task as its family tells it. Pure. */
export function taskAs(family: 'legacy' | 'newer', task: Task): Told {
  return family === 'legacy' ? legacyTask(task) : newerTask(task);
}

export function familyOf(task: Task): 'legacy' | 'newer' {
  return ENDPOINTS[task.kind].family === 'legacy' ? 'legacy' : 'newer';
}

function legacyTask(task: Task): Told {
  const { status } = describeStatus(task);
  return {
    task_id: task.id,
    task_status: status === 'succeeded' ? 'succeed' : status,
    task_status_msg: task.error?.message ?? '',
    task_info: task.externalId === undefined ? {} : { external_task_id: task.externalId },
    created_at: task.createdAt,
    updated_at: task.updatedAt,
    ...(status === 'succeeded' ? { task_result: legacyResult(task) } : {}),
    ...(task.units === null ? {} : { final_unit_deduction: String(task.units) }),
  };
}

function legacyResult(task: Task): Told {
  const result: Record<string, Told[]> = {};
  for (const file of task.files) {
    const group = file.group ?? fileGroupOf(task.kind);
    const all = result[group] ?? [];
    all.push(legacyFile(group, all.length, file));
    result[group] = all;
  }
  return { ...result, ...task.details };
}

function legacyFile(
  group: string,
  index: number,
  { url, vendorId: id, watermarkUrl, durationSeconds }: TaskFile,
): Told {
  const shared = { ...(id === undefined ? {} : { id }), ...(watermarkUrl && { watermark_url: watermarkUrl }) };
  const duration = durationSeconds === undefined ? undefined : String(durationSeconds);
  if (group === 'images') return { index, url, ...shared };
  if (group === 'videos') return { ...shared, url, ...(duration === undefined ? {} : { duration }) };
  const form = /\.wav($|\?)/.test(url) ? 'wav' : 'mp3';
  return { ...shared, [`url_${form}`]: url, ...(duration === undefined ? {} : { [`duration_${form}`]: duration }) };
}

function newerTask(task: Task): Told {
  const { status } = describeStatus(task);
  return {
    id: task.id,
    status,
    message: task.error?.message ?? '',
    create_time: task.createdAt,
    update_time: task.updatedAt,
    ...(task.externalId === undefined ? {} : { external_id: task.externalId }),
    ...(status === 'succeeded' ? { outputs: outputs(task) } : {}),
    ...(task.units === null
      ? {}
      : { billing: [{ charge_type: 'unit', amount: String(task.units), package_type: packOf(task.kind) }] }),
  };
}

function outputs(task: Task): Told[] {
  const files = task.files.map(({ url, vendorId: id, watermarkUrl, durationSeconds, group }) => {
    const shared = { ...(id === undefined ? {} : { id }), ...(watermarkUrl && { watermark_url: watermarkUrl }) };
    const duration = durationSeconds === undefined ? undefined : String(durationSeconds);
    if ((group ?? fileGroupOf(task.kind)) !== 'audios') {
      return { ...shared, url, ...(duration === undefined ? {} : { duration }) };
    }
    const form = /\.wav($|\?)/.test(url) ? 'wav' : 'mp3';
    return { ...shared, [`${form}_url`]: url, ...(duration === undefined ? {} : { [`${form}_duration`]: duration }) };
  });
  const elements = (task.details?.elements ?? []).map((element) => ({
    id: element['element_id'],
    name: element['element_name'],
    element_type: element['element_type'] ?? 'multi_image_elements',
  }));
  const voices = (task.details?.voices ?? []).map((voice) => ({
    id: voice['voice_id'],
    name: voice['voice_name'],
    url: voice['trial_url'],
  }));
  return [...files, ...elements, ...voices];
}
