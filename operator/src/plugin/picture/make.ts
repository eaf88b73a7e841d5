/** One picture by the tools of the MCP server. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import type { Around } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { Route } from './route.ts';

export interface Picture {
  readonly bytes: Buffer;
  readonly mimeType: string;
  readonly task: string;
  /** What the server calls itself. */
  readonly server: string;
}

/** What to draw, or the task of something that was drawn before. */
export type Wanted = { readonly prompt: string } | { readonly task: string };

export interface MakeOptions extends Pick<Around, 'now' | 'signal' | 'pause'> {
  /** Of everything, in milliseconds as `now` counts them. */
  readonly deadline: number;
  /** Told of each step. */
  readonly tell: (text: string) => void;
  /** Told of in an error: how to get what a task made after all. */
  readonly fetchesLater: (task: string) => string;
}

const resultSchema = z.object({
  isError: z.boolean().optional(),
  content: z.array(
    z.looseObject({
      type: z.string(),
      text: z.string().optional(),
      data: z.string().optional(),
      mimeType: z.string().optional(),
    }),
  ),
  structuredContent: z.looseObject({ id: z.string().optional(), status: z.string().optional() }).optional(),
});
type Result = z.output<typeof resultSchema>;

/** One wait: what is between cuts off longer ones, and the next wait finds the task as it is. */
const WAIT_MS = 50_000;
/** Between two waits: one that ends at once is not asked for again at once. */
const PAUSE_MS = 1_000;
/** For the answer of a wait that is over. */
const GRACE_MS = 5_000;

const ENDED: ReadonlySet<string | undefined> = new Set(['succeeded', 'failed']);

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
};

const wordsOf = ({ content }: Result): string =>
  content
    .map(({ text }) => text ?? '')
    .join(' ')
    .trim()
    .slice(0, 500);

/** @throws CommandError with what the server said; the signal's reason */
export async function makePicture(route: Route, wanted: Wanted, options: MakeOptions): Promise<Picture> {
  const { now, signal, pause, deadline, tell, fetchesLater } = options;
  const client = new Client(
    { name: 'kubectl-kling', version: packageJson.version },
    { versionNegotiation: { mode: 'auto' } },
  );
  const left = (): number => Math.max(0, deadline - now());
  const call = async (name: string, args: Record<string, unknown>, limitMs = left()): Promise<Result> =>
    resultSchema.parse(
      await client.callTool(
        { name, arguments: args },
        {
          ...{ timeout: limitMs, resetTimeoutOnProgress: true, maxTotalTimeout: limitMs, signal },
          onprogress: ({ message }) => tell(message ?? 'under way'),
        },
      ),
    );

  async function create(prompt: string): Promise<string> {
    const created = await call('create_text_to_image_tool', { prompt });
    if (created.isError === true) throw new CommandError(`create_text_to_image_tool: ${wordsOf(created)}`);
    const task = created.structuredContent?.id;
    if (task === undefined) throw new CommandError('the server made no task: it may be another one than Kling');
    return task;
  }

  /** @returns the ended task, or undefined when the time is over before */
  async function wait(task: string): Promise<Result | undefined> {
    while (left() > 0) {
      const waitMs = Math.min(left(), WAIT_MS);
      const seconds = Math.max(1, Math.round(waitMs / 1_000));
      const seen = await call('wait_for_task_completion_tool', { task_id: task, timeout: seconds }, waitMs + GRACE_MS);
      if (seen.isError === true || ENDED.has(seen.structuredContent?.status)) return seen;
      await pause(PAUSE_MS, signal);
      signal.throwIfAborted();
    }
    return undefined;
  }

  let task = 'task' in wanted ? wanted.task : undefined;
  // what was made is paid for, so nobody is left without the way to it
  const later = (): string => (task === undefined ? '' : `; ${fetchesLater(task)}`);
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(route.url), {
        fetch: route.fetch,
        requestInit: { headers: route.headers },
      }),
      { timeout: left(), signal },
    );
    const { name = 'the server', version = '' } = client.getServerVersion() ?? {};
    tell(`${name} ${version} speaks MCP ${client.getNegotiatedProtocolVersion?.() ?? ''}`.trimEnd());
    task ??= await create('prompt' in wanted ? wanted.prompt : '');
    tell(`task ${task}`);
    const done = await wait(task);
    if (done === undefined) throw new CommandError(`task ${task} has not ended in this time${later()}`);
    const picture = done.content.find(({ type, data }) => type === 'image' && data !== undefined);
    if (picture?.data === undefined) {
      const failed = done.structuredContent?.status === 'failed';
      throw new CommandError(`task ${task} gave no picture: ${wordsOf(done)}${failed ? '' : later()}`);
    }
    return {
      bytes: Buffer.from(picture.data, 'base64'),
      mimeType: picture.mimeType ?? 'image/png',
      task,
      server: `${name} ${version}`.trim(),
    };
  } catch (error) {
    if (signal.aborted && task !== undefined) tell(fetchesLater(task));
    signal.throwIfAborted();
    if (error instanceof CommandError) throw error;
    throw new CommandError(`the MCP server at ${route.url} gave no picture: ${reasonOf(error)}${later()}`);
  } finally {
    await client.close().catch(() => {});
  }
}
