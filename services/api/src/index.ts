/**
 * The REST service. A request goes: `server.ts` (who calls, limits, errors) →
 * `create-routes.ts` / `task-routes.ts` / `result-route.ts` → `submissions.ts`
 * (a task is stored, then made upstream, never twice) → `poller.ts` (until it
 * has ended). `task.ts` is the task and its one validated JSON shape, `store.ts`
 * where tasks live, `sqlite-store.ts` on one disk, `data-lock.ts` one process a
 * disk. `problem.ts` and `upstream-problem.ts` are every error a caller sees.
 */
export type { Problem } from './problem.ts';
export { problemSchema } from './problem.ts';
export type { Api, ApiOptions } from './server.ts';
export { startApi } from './server.ts';
export type { TaskReply, TaskStatusReply } from './task.ts';
export { taskReplySchema, taskStatusReplySchema } from './task.ts';
