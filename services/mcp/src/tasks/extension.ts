import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type McpServer,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ToolContext } from '../call.ts';

/**
 * The server's side of the extension `io.modelcontextprotocol/tasks` (2026-07-28),
 * which the SDK does not have: a call may be answered with a task, whose result
 * the client fetches later. It holds no state; whoever registers it says where
 * tasks are kept.
 */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A task in the words of the extension. Times are ISO 8601. */
export interface McpTask {
  taskId: string;
  statusMessage?: string;
  createdAt: string;
  lastUpdatedAt: string;
  /** How long it is kept from `createdAt`; null for ever. */
  ttlMs: number | null;
  /** When to ask again. */
  pollIntervalMs?: number;
}

export type McpTaskState =
  | { status: 'working' | 'cancelled' }
  | { status: 'input_required'; inputRequests: Record<string, unknown> }
  /** Also when the tool failed: its result says so by `isError`. */
  | { status: 'completed'; result: CallToolResult }
  /** Only for an error of the protocol. */
  | { status: 'failed'; error: { code: number; message: string } };

/** Each throws a `ProtocolError` for a task that the caller does not have. */
export interface TaskSource {
  get(taskId: string, ctx: ServerContext): Promise<McpTask & McpTaskState>;
  /** Notes that nobody wants it any more; whether the work stops is another matter. */
  cancel(taskId: string, ctx: ServerContext): Promise<void>;
  /** Takes the answers in `ctx.mcpReq.inputResponses`. */
  update(taskId: string, ctx: ServerContext): Promise<void>;
}

const extensions = z.object({ [TASKS_EXTENSION]: z.looseObject({}) });
const declared = z.object({ [CLIENT_CAPABILITIES_META_KEY]: z.object({ extensions }) });
const params = z.object({ taskId: z.string().min(1).max(200) });

/** Whether this very request may be answered with a task; what others declared does not count. */
export function declaresTasks({ mcpReq }: ToolContext): boolean {
  return declared.safeParse(mcpReq.envelope).success;
}

/** For servers of the newer era alone: the older one has other tasks under the same names. */
export function registerTasks({ server }: McpServer, source: TaskSource): void {
  server.registerCapabilities({ extensions: { [TASKS_EXTENSION]: {} } });
  const on = (method: string, answer: (taskId: string, ctx: ServerContext) => Promise<object>) =>
    server.setRequestHandler(method, { params }, async ({ taskId }, ctx) => {
      if (declaresTasks(ctx)) return { ...(await answer(taskId, ctx)) };
      throw new MissingRequiredClientCapabilityError({
        requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
      });
    });
  on('tasks/get', (taskId, ctx) => source.get(taskId, ctx));
  on('tasks/cancel', async (taskId, ctx) => {
    await source.cancel(taskId, ctx);
    return {};
  });
  on('tasks/update', async (taskId, ctx) => {
    await source.update(taskId, ctx);
    return {};
  });
}

/**
 * The result of a tool that says: it goes on, here is the task. The SDK takes it as
 * the result of a tool, and so wants content, and what the tool's output schema asks for.
 */
export function startedTask(task: McpTask, structuredContent?: CallToolResult['structuredContent']): CallToolResult {
  return {
    ...task,
    status: 'working',
    resultType: 'task',
    content: [],
    ...(structuredContent === undefined ? {} : { structuredContent }),
  };
}
