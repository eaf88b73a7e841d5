import type {
  CallToolResult,
  McpServer,
  ServerContext,
  StandardSchemaWithJSON,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import type { ToolContext } from '../call.ts';

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

export function offersOf(server: McpServer): Offers {
  return {
    quick: (name, about, run) => void server.registerTool(name, about, run),
    waiting: (name, about, run) => void server.registerTool(name, about, run),
  };
}

/**
 * Runs a tool; null when it does not take the arguments.
 * @throws what the SDK makes an error result of
 */
export type QuickTool = (given: unknown, ctx: ToolContext) => Promise<CallToolResult | null>;

/** The quick ones of what is offered, by name. */
export function quickTools(offer: (offers: Offers) => void): ReadonlyMap<string, QuickTool> {
  const tools = new Map<string, QuickTool>();
  offer({
    quick(name, { inputSchema }, run) {
      tools.set(name, async (given, ctx) => {
        const taken = await inputSchema['~standard'].validate(given);
        return taken.issues === undefined ? await run(taken.value, ctx) : null;
      });
    },
    waiting() {},
  });
  return tools;
}
