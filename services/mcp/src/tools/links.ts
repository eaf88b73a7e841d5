import type { ResourceLink } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ToolContext } from '../call.ts';
import type { Task } from '../task.ts';

/** The version that brought links as content of results, and the header by which older clients can be told apart. */
const SINCE = '2025-06-18';

const fileSchema = z.object({ index: z.int().nonnegative(), url: z.url({ protocol: /^https?$/ }) });

/** By the end of an address; what is not here is left open. */
const TYPES: Readonly<Record<string, string>> = {
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  png: 'image/png',
  wav: 'audio/wav',
  webp: 'image/webp',
};

/**
 * Where a client finds the task again, and every file of its result, whatever it is
 * of: clients show few kinds of files themselves. None for clients whose version of
 * the protocol has no links; what they do not know they may refuse as a whole.
 */
export function linksOf(ctx: ToolContext, task: Task): ResourceLink[] {
  const version = ctx.http?.req?.headers.get('mcp-protocol-version') ?? '';
  if (version < SINCE) return [];
  const found = Object.values(task.result ?? {}).flatMap((group) => (Array.isArray(group) ? group : []));
  const files = found.flatMap((file) => fileSchema.safeParse(file).data ?? []);
  return [
    link(`kling://tasks/${encodeURIComponent(task.id)}`, `Task ${task.id}`, 'application/json'),
    ...files.map(({ index, url }) => link(url, `${task.kind ?? 'Result'} ${index + 1}`, typeOf(url))),
  ];
}

function link(uri: string, name: string, mimeType: string | undefined): ResourceLink {
  // In the order in which the SDK writes them.
  return { name, uri, ...(mimeType === undefined ? {} : { mimeType }), type: 'resource_link' };
}

function typeOf(url: string): string | undefined {
  const end = /\.(\w+)$/.exec(new URL(url).pathname)?.[1];
  return end === undefined ? undefined : TYPES[end.toLowerCase()];
}
