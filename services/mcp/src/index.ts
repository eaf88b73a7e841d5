/**
 * The MCP service. It keeps no state (`sessions.ts` is off in production) and calls the API service only.
 *
 * `door.ts` is the HTTP side (who may speak and how much: `oauth/`, `limits.ts`),
 * `definition.ts` the MCP server as clients see it, `tools/` the tools,
 * `tasks/` the tasks of the protocol, `guide.ts`, `resources.ts` and `prompts.ts` what else they offer,
 * `api-client.ts` the way to the API, `catalogue.ts` its models. `shortcuts.ts` answers what need not go through all of
 * that. `server.ts` puts them together with the readiness handshake; `main.ts` is the process.
 */
export type { ApiClient } from './api-client.ts';
export { type DefinitionContext, type Mcp, type McpOptions, startMcp } from './server.ts';
export {
  declaresTasks,
  type McpTask,
  type McpTaskState,
  registerTasks,
  startedTask,
  type TaskSource,
} from './tasks/extension.ts';
export { TOOL_NAMES } from './tools/register.ts';
