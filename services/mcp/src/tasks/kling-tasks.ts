import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { ApiClient, Call } from '../api-client.ts';
import { callOf } from '../call.ts';
import { ApiError } from '../errors.ts';
import { isDone, type Task } from '../task.ts';
import { linksOf } from '../tools/links.ts';
import { picturesOf } from '../tools/pictures.ts';
import { nextStep, taskResult } from '../tools/result.ts';
import { type McpTask, startedTask, type TaskSource } from './extension.ts';

/** An API that is being replaced is back within seconds; a client that polls may give up at the first error. */
const PATIENCE_MS = 20_000;
const POLL_MS = { least: 2_000, most: 10_000 };
/** What the API says of an id that is none, or of nobody's or another's task. */
const NO_TASK = new Set(['task_not_found', 'invalid_request']);
const WAIT_MARK = /~[0-9a-f]{8}$/;

/** Answers for the call that made the task. Its id is the API's own, so every replica knows it. */
export function madeTask(task: Task, now: number): CallToolResult {
  return startedTask(mcpTask(task, task.id, now), task);
}

/** Answers for a call that waits: a task of its own, because a client may hold the one that was made as well. */
export function waitedTask(task: Task, now: number): CallToolResult {
  return startedTask(mcpTask(task, `${task.id}~${randomBytes(4).toString('hex')}`, now), task);
}

/**
 * Tasks of the API as tasks of the protocol. What is asked goes to the API on
 * behalf of the caller, which knows whose each task is.
 */
export function klingTasks(api: ApiClient, stopping: AbortSignal, now: () => number): TaskSource {
  const find = async (taskId: string, ctx: ServerContext) =>
    await findPatiently(api, callOf(ctx), taskId.replace(WAIT_MARK, ''), stopping);
  return {
    async get(taskId, ctx) {
      const task = await find(taskId, ctx);
      const told = mcpTask(task, taskId, now());
      if (!isDone(task.status)) return { ...told, status: 'working' };
      const result = taskResult(task, nextStep(task), await picturesOf(api, callOf(ctx), task), linksOf(ctx, task));
      return { ...told, status: 'completed', result: { resultType: 'complete', ...result } };
    },
    // Nobody can stop what Kling has begun, and it is paid: the task goes on, and its result can still be had.
    async cancel(taskId, ctx) {
      await find(taskId, ctx);
    },
    // Nothing is ever asked of the client, so there is nothing to answer.
    async update(taskId, ctx) {
      await find(taskId, ctx);
    },
  };
}

/** @param now Unix milliseconds */
export function mcpTask(task: Task, taskId: string, now: number): McpTask {
  const createdAt = task.createdAt ?? new Date(now).toISOString();
  const age = now - Date.parse(createdAt);
  return {
    taskId,
    statusMessage: `The task is ${task.status}`,
    createdAt,
    lastUpdatedAt: task.updatedAt ?? createdAt,
    // The API forgets no task.
    ttlMs: null,
    // A tenth of its age: seconds for a picture, and not a hundred times for a video.
    pollIntervalMs: Math.round(Math.min(POLL_MS.most, Math.max(POLL_MS.least, age / 10))),
  };
}

async function findPatiently(api: ApiClient, call: Call, id: string, stopping: AbortSignal): Promise<Task> {
  const started = performance.now();
  for (;;) {
    try {
      return await api.task(call, id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (NO_TASK.has(error.code)) {
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no task ${id.slice(0, 64)}`);
      }
      const over = !error.retryable || performance.now() - started > PATIENCE_MS;
      if (over || stopping.aborted) throw new ProtocolError(ProtocolErrorCode.InternalError, error.message);
      await setTimeout(1000, undefined, { signal: AbortSignal.any([call.signal, stopping]) }).catch(() => {});
      call.signal.throwIfAborted();
    }
  }
}
