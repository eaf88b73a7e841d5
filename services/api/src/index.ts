/**
 * The REST service. A request goes: `app.ts` (who calls, limits, errors) →
 * `tasks/` (a task is stored, then made upstream, never twice, and followed until
 * it has ended) → `storage/` (SQLite or PostgreSQL); `results/` gives the bytes,
 * `uploads/` takes in those of callers.
 * `catalogue/` is what can be known before paying, `compatible/` Kling's own interface,
 * `notifications/` what callers are told by themselves. `server.ts` puts the parts together, `callbacks/` is what Kling tells by itself.
 * `problem.ts` and `upstream-problem.ts` are every error a caller sees.
 */
export type { Problem } from './problem.ts';
export { problemSchema } from './problem.ts';
export type { Api, ApiOptions } from './server.ts';
export { startApi } from './server.ts';
export type { TaskReply, TaskStatusReply } from './tasks/task.ts';
export { taskReplySchema, taskStatusReplySchema } from './tasks/task.ts';
