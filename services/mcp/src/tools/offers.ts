import type {
  CallToolResult,
  McpServer,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import { callOf, type ToolContext } from '../call.ts';

const INTERNAL_ERROR =
  'Something broke in the MCP service, which has logged it. Look whether the task was made (list_tasks_tool) before you call again.';

interface Description<Input, Output> {
  readonly title: string;
  readonly description: string;
  readonly inputSchema: StandardSchemaWithJSON<Input, Output>;
  readonly outputSchema: StandardSchemaWithJSON;
  readonly annotations: ToolAnnotations;
  readonly _meta: Record<string, unknown>;
}

/** Where tools are offered. */
export interface Offers {
  /** One that answers as soon as the API does. Its results have content, structured content and `isError` alone. */
  quick<Input, Output>(
    name: string,
    about: Description<Input, Output>,
    run: (given: Output, ctx: ToolContext) => Promise<CallToolResult>,
  ): void;
  /** One that may take minutes, and tells of its progress. */
  waiting<Input, Output>(
    name: string,
    about: Description<Input, Output>,
    run: (given: Output, ctx: ServerContext) => Promise<CallToolResult>,
  ): void;
}

/** Told what broke in a tool; clients are not. */
export type TellFault = (error: unknown) => void;

export function offersOf(server: McpServer, tell: TellFault): Offers {
  return {
    quick: (name, about, run) => void server.registerTool(name, about, orInternalError(run, tell)),
    waiting: (name, about, run) => void server.registerTool(name, about, orInternalError(run, tell)),
  };
}

/**
 * Runs a tool; null when it does not take the arguments.
 * @throws what a client that has left need not be told
 */
export type QuickTool = (given: unknown, ctx: ToolContext) => Promise<CallToolResult | null>;

/** The quick ones of what is offered, by name. */
export function quickTools(offer: (offers: Offers) => void, tell: TellFault): ReadonlyMap<string, QuickTool> {
  const tools = new Map<string, QuickTool>();
  offer({
    quick(name, { inputSchema }, run) {
      const guarded = orInternalError(run, tell);
      tools.set(name, async (given, ctx) => {
        const taken = await inputSchema['~standard'].validate(given);
        return taken.issues === undefined ? await guarded(taken.value, ctx) : null;
      });
    },
    waiting() {},
  });
  return tools;
}

/** What is no answer of the API is a fault of ours: the SDK would tell its text to the client, and nobody else. */
function orInternalError<Given, Context extends ToolContext>(
  run: (given: Given, ctx: Context) => Promise<CallToolResult>,
  tell: TellFault,
): (given: Given, ctx: Context) => Promise<CallToolResult> {
  return async (given, ctx) => {
    try {
      return await run(given, ctx);
    } catch (error) {
      if (callOf(ctx).signal.aborted) throw error;
      tell(error);
      return { content: [{ type: 'text', text: INTERNAL_ERROR }], isError: true };
    }
  };
}
