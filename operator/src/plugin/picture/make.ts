/** One picture by the tools of the MCP server. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { CommandError } from '../errors.ts';
import type { Route } from './route.ts';

export interface Picture {
  readonly bytes: Buffer;
  readonly mimeType: string;
  readonly task: string;
  /** What the server calls itself. */
  readonly server: string;
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

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${reasonOf(error.cause)}` : error.message;
};

/**
 * @param tell told of each step
 * @throws CommandError with what the server said
 */
export async function makePicture(
  route: Route,
  prompt: string,
  timeoutMs: number,
  tell: (text: string) => void,
): Promise<Picture> {
  const client = new Client(
    { name: 'kubectl-kling', version: packageJson.version },
    { versionNegotiation: { mode: 'auto' } },
  );
  const call = async (name: string, args: Record<string, unknown>): Promise<z.output<typeof resultSchema>> => {
    const raw = await client.callTool(
      { name, arguments: args },
      {
        timeout: timeoutMs,
        resetTimeoutOnProgress: true,
        maxTotalTimeout: timeoutMs,
        onprogress: ({ message }) => tell(message ?? 'under way'),
      },
    );
    const result = resultSchema.parse(raw);
    if (result.isError === true)
      throw new CommandError(
        `${name}: ${result.content
          .map(({ text }) => text ?? '')
          .join(' ')
          .trim()}`,
      );
    return result;
  };
  try {
    await client.connect(
      new StreamableHTTPClientTransport(new URL(route.url), {
        fetch: route.fetch,
        requestInit: { headers: route.headers },
      }),
    );
    const { name = 'the server', version = '' } = client.getServerVersion() ?? {};
    tell(`${name} ${version} speaks MCP ${client.getNegotiatedProtocolVersion?.() ?? ''}`.trimEnd());
    const created = await call('create_text_to_image_tool', { prompt });
    const task = created.structuredContent?.id;
    if (task === undefined) throw new CommandError('the server made no task: it may be another one than Kling');
    tell(`task ${task}`);
    const done = await call('wait_for_task_completion_tool', { task_id: task });
    const picture = done.content.find(({ type, data }) => type === 'image' && data !== undefined);
    if (picture?.data === undefined)
      throw new CommandError(
        `task ${task} ended without a picture: ${done.content
          .map(({ text }) => text ?? '')
          .join(' ')
          .trim()
          .slice(0, 500)}`,
      );
    return {
      bytes: Buffer.from(picture.data, 'base64'),
      mimeType: picture.mimeType ?? 'image/png',
      task,
      server: `${name} ${version}`.trim(),
    };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`the MCP server at ${route.url} gave no picture: ${reasonOf(error)}`);
  } finally {
    await client.close().catch(() => {});
  }
}
