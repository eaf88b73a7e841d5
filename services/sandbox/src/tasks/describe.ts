import { ENDPOINTS } from '@klingapi/kling';
import { legacyResult, outputs } from './outputs.ts';
import { FAILURE, type SandboxTask, statusAt } from './task.ts';

const SUCCEED = { submitted: 'submitted', processing: 'processing', succeeded: 'succeed', failed: 'failed' } as const;

/**
 * The task as the legacy family tells it.
 * @param base scheme and host that the client reached us by, so that result URLs work for it
 */
export function describeTask(task: SandboxTask, now: number, base: string): Record<string, unknown> {
  const status = statusAt(task, now);
  return {
    task_id: task.id,
    task_status: SUCCEED[status],
    task_status_msg: status === 'failed' ? FAILURE : '',
    task_info: {
      ...(task.externalId === undefined ? {} : { external_task_id: task.externalId }),
      ...(task.parentVideo === undefined ? {} : { parent_video: { id: task.parentVideo } }),
    },
    ...(task.hasWatermark ? { watermark_info: { enabled: true } } : {}),
    created_at: task.createdAt,
    updated_at: updatedAt(task, now),
    ...(status === 'succeeded'
      ? { task_result: legacyResult(task, base), final_unit_deduction: String(task.units) }
      : {}),
  };
}

/** The task as the new family, the solutions, `GET /tasks` and their callbacks tell it. */
export function describeRecord(task: SandboxTask, now: number, base: string): Record<string, unknown> {
  const status = statusAt(task, now);
  const succeeded = task.kind === 'solution-try-on' ? 'succeed' : 'succeeded';
  return {
    ...(task.kind === 'solution-try-on' ? { task_id: task.id } : { id: task.id }),
    status: status === 'succeeded' ? succeeded : status,
    message: status === 'failed' ? FAILURE : '',
    create_time: task.createdAt,
    update_time: updatedAt(task, now),
    ...(task.externalId === undefined ? {} : { external_id: task.externalId }),
    ...(status === 'succeeded'
      ? {
          outputs: outputs(task, base),
          billing: [{ charge_type: 'unit', amount: String(task.units), package_type: task.pack }],
        }
      : {}),
  };
}

/** As callbacks tell it: in the shape of the family that made it. */
export function describeOwn(task: SandboxTask, now: number, base: string): Record<string, unknown> {
  const describe = ENDPOINTS[task.kind].family === 'legacy' ? describeTask : describeRecord;
  return describe(task, now, base);
}

/** When the status changed last. */
function updatedAt(task: SandboxTask, now: number): number {
  if (now >= task.finishesAt) return Math.ceil(task.finishesAt);
  const status = statusAt(task, now);
  if (status === 'submitted' || task.finishesAt === Infinity) return task.createdAt;
  return Math.ceil(task.createdAt + (task.finishesAt - task.createdAt) / 10);
}
