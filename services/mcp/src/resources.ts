import { KINDS } from '@klingapi/kling';
import {
  type AuthInfo,
  type McpServer,
  type ReadResourceResult,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { callOf, shortCallOf } from './call.ts';
import { ApiError } from './errors.ts';
import type { ToolDependencies } from './tools/tool-dependencies.ts';

const JSON_TYPE = 'application/json';
/** The same for everybody, until the API service is replaced. */
const CATALOGUE_HINT = { ttlMs: 300_000, cacheScope: 'public' } as const;

const kindsLike = (start: string) => KINDS.filter((kind) => kind.startsWith(start.toLowerCase()));

/** As many as the API tells at once; those who complete look for what they made a moment ago. */
const LOOK_BACK = 200;
const COMPLETION_MS = 5_000;
const page = z.object({ tasks: z.array(z.object({ id: z.string() })) });

/** Of the caller's newest tasks. Nothing can be completed where they cannot be had: whoever types is told by the call that follows. */
async function idsLike(start: string, api: ApiClient, caller: AuthInfo | undefined): Promise<string[]> {
  try {
    const request = { method: 'GET', path: `/api/tasks?limit=${LOOK_BACK}` } as const;
    const { tasks } = await api.ask(shortCallOf(caller, COMPLETION_MS), request, page);
    return tasks.map(({ id }) => id).filter((id) => id.startsWith(start));
  } catch (error) {
    if (error instanceof ApiError || (error instanceof Error && error.name === 'TimeoutError')) return [];
    throw error;
  }
}

// Templates hold no state, so one serves every request.
const modelsOfKind = new ResourceTemplate('kling://models/{kind}', { list: undefined, complete: { kind: kindsLike } });

/** What can be read without a tool: the models, and a task by its id. */
export function registerResources(server: McpServer, { api, catalogue, caller }: ToolDependencies): void {
  server.registerResource(
    'models',
    'kling://models',
    {
      title: 'Models',
      description: 'Models of each kind of task; the first of a kind is the one that is taken without a choice',
      mimeType: JSON_TYPE,
      cacheHint: CATALOGUE_HINT,
    },
    async (uri) => {
      const kinds = await catalogue.kinds();
      return json(uri, Object.fromEntries(kinds.map(({ kind, models }) => [kind, models])));
    },
  );
  server.registerResource(
    'models-of-kind',
    modelsOfKind,
    {
      title: 'Models of one kind of task',
      description: `Kinds: ${KINDS.join(', ')}`,
      mimeType: JSON_TYPE,
      cacheHint: CATALOGUE_HINT,
    },
    async (uri, { kind }) => {
      const found = (await catalogue.kinds()).find((each) => each.kind === kind);
      if (found === undefined) throw new ResourceNotFoundError(uri.href);
      return json(uri, found.models);
    },
  );
  server.registerResource(
    'task',
    new ResourceTemplate('kling://tasks/{id}', {
      list: undefined,
      complete: { id: (start) => idsLike(start, api, caller) },
    }),
    {
      title: 'A task',
      description:
        'A task with its request, state, times, result and error; the id is the one that a create tool returned',
      mimeType: JSON_TYPE,
      // It changes, and belongs to its caller.
      cacheHint: { ttlMs: 0, cacheScope: 'private' },
    },
    async (uri, { id }, ctx) => {
      try {
        return json(uri, await api.task(callOf(ctx), decodeURIComponent(String(id))));
      } catch (error) {
        const isNone = error instanceof URIError || (error instanceof ApiError && error.code === 'task_not_found');
        if (isNone) throw new ResourceNotFoundError(uri.href);
        throw error;
      }
    },
  );
}

function json(uri: URL, value: unknown): ReadResourceResult {
  return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(value, null, 2) }] };
}
