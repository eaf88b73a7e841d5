import type { IncomingHttpHeaders } from 'node:http';
import { toWebRequest } from '@modelcontextprotocol/node';
import {
  type AuthInfo,
  type CallToolResult,
  createMcpHandler,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import type { ToolContext } from './call.ts';
import { emptyServer } from './definition.ts';
import { fieldsOf } from './fields.ts';
import { createListening, type Listening } from './listening.ts';
import { createMemory, type Memory } from './memory.ts';
import { declaresTasks } from './tasks/extension.ts';
import type { QuickTool } from './tools/offers.ts';

/** Some clients, each in some versions, each asking all there is. Lists are long, so this is some megabytes at most. */
const REMEMBERED = { freshMs: 1_000, entries: 128, longest: 4_096 };

/** What is answered alike to everybody who asks alike: who the server is, and what there is. */
const LISTED: ReadonlySet<unknown> = new Set([
  'initialize',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/** A reply with status 200, and a hole where the id of the request stands. */
export interface Answer {
  readonly headers: Readonly<Record<string, string>>;
  readonly before: Buffer;
  readonly after: string;
}

/** What the SDK puts around the fields of a result. */
interface Frame {
  readonly headers: Readonly<Record<string, string>>;
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

/** Answers that are the SDK's own to the byte, without a server of the SDK that is made for each. */
export interface Shortcuts {
  /** To who asks what there is; null where the SDK has to answer. */
  listed(headers: IncomingHttpHeaders, message: unknown): Answer | Promise<Answer | null> | null;
  /** To who calls a quick tool; null where the SDK has to answer, and nothing has been done yet. */
  called(headers: IncomingHttpHeaders, message: unknown, caller: Caller): Promise<Answer | null> | null;
  readonly listening: Listening;
}

interface Caller {
  readonly auth: AuthInfo;
  readonly signal: AbortSignal;
}

export interface ShortcutsOptions {
  readonly handler: Pick<McpHttpHandler, 'fetch' | 'bus'>;
  readonly tools: ReadonlyMap<string, QuickTool>;
  readonly path: string;
  /** Runs what the SDK is asked here; what it says besides is said again when a client asks. */
  readonly aside: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly maxRequestSeconds: number;
  /** A stream was ended because it was open that long. */
  readonly onOverTime: () => void;
}

/**
 * Two kinds. Lists are remembered as they are. Of calls, what the SDK puts around a result is remembered, as it was
 * around the result of a stand-in for the tool; so whether a request is in order is the SDK's judgement alone, and it
 * is asked anew every second.
 */
export function createShortcuts(options: ShortcutsOptions): Shortcuts {
  const { handler, tools, path, aside, maxRequestSeconds, onOverTime } = options;
  const now = () => performance.now();
  const ask = (asked: Pick<McpHttpHandler, 'fetch'>, headers: IncomingHttpHeaders, message: object) =>
    aside(async () => {
      const head = { method: 'POST', url: path, headers, async *[Symbol.asyncIterator]() {} };
      return await asked.fetch(await toWebRequest(head, message), { parsedBody: message });
    });
  const lists = createMemory({
    ...REMEMBERED,
    methods: LISTED,
    ask: (headers, message) => ask(handler, headers, message),
    read: readList,
    now,
  });
  const frames = createMemory({
    ...REMEMBERED,
    methods: new Set(['tools/call']),
    ask: (headers, message) => ask(standIn(nameOf(message)), headers, message),
    read: readFrame,
    now,
  });
  handler.bus.subscribe(lists.forget);

  return {
    listening: createListening({
      ask: (headers, message) => ask(handler, headers, message),
      longest: REMEMBERED.longest,
      maxSeconds: maxRequestSeconds,
      onOverTime,
    }),
    listed: lists.recall,
    called(headers, message, { auth, signal }) {
      const asked = callIn(message);
      const tool = asked === null ? undefined : tools.get(asked.name);
      if (asked === null || tool === undefined) return null;
      const ctx: ToolContext = {
        mcpReq: { signal, envelope: asked.meta },
        http: { authInfo: auth, req: { headers: { get: (name) => String(headers[name] ?? '') } } },
      };
      if (declaresTasks(ctx)) return null;
      return call(tool, asked.given, ctx, frames.recall(headers, asked.blank));
    },
  };
}

async function call(
  tool: QuickTool,
  given: unknown,
  ctx: ToolContext,
  framed: ReturnType<Memory<Frame>['recall']>,
): Promise<Answer | null> {
  const frame = framed instanceof Promise ? await framed : framed;
  if (frame === null) return null;
  const result = await tool(given, ctx).catch(errorResult);
  if (result === null) return null;
  const { headers, before, between, after } = frame;
  // In the order of the SDK.
  const { content, structuredContent, isError } = result;
  const fields = JSON.stringify({ content, structuredContent, isError }).slice(1, -1);
  return { headers, before: Buffer.from(`${before}${fields}${between}`), after };
}

/** The client has left, else it would be a result already; it must not be run again. */
function errorResult(error: unknown): CallToolResult {
  return { content: [{ type: 'text', text: error instanceof Error ? error.message : String(error) }], isError: true };
}

/** The call of a tool, and the same without its arguments; null when the message is none. */
function callIn(message: unknown) {
  const { method, params } = fieldsOf(message);
  if (method !== 'tools/call') return null;
  const { name, arguments: given = {}, _meta } = fieldsOf(params);
  if (typeof name !== 'string' || typeof given !== 'object' || given === null || Array.isArray(given)) return null;
  return { name, given, meta: _meta, blank: { ...fieldsOf(message), params: { ...fieldsOf(params), arguments: {} } } };
}

function nameOf(message: unknown): string {
  return callIn(message)?.name ?? '';
}

const STAND_IN = '"content":[{"type":"text","text":"the result of a tool"}]';

/** A server that has this tool alone, which takes everything and does nothing. */
function standIn(name: string): McpHttpHandler {
  const result = JSON.parse(`{${STAND_IN}}`);
  return createMcpHandler(() => {
    const server = emptyServer();
    server.registerTool(name, {}, () => result);
    return server;
  });
}

/** null when the id does not stand in the text exactly once. */
function readList(headers: Headers, text: string, id: string): Answer | null {
  const [before, after, more] = text.split(id);
  if (before === undefined || after === undefined || more !== undefined) return null;
  return { headers: Object.fromEntries(headers), before: Buffer.from(before), after };
}

function readFrame(headers: Headers, text: string, id: string): Frame | null {
  const [before, rest, another] = text.split(STAND_IN);
  const [between, after, more] = rest?.split(id) ?? [];
  if (before === undefined || between === undefined || after === undefined) return null;
  if (another !== undefined || more !== undefined || before.includes(id)) return null;
  return { headers: Object.fromEntries(headers), before, between, after };
}
