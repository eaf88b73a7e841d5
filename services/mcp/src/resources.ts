import { KINDS, type Kind, MODELS } from '@klingapi/kling';
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { callOf } from './call.ts';
import { ApiError } from './errors.ts';
import type { ToolDependencies } from './tools/tool-dependencies.ts';

const JSON_TYPE = 'application/json';
const CATALOGUE = JSON.stringify(MODELS, null, 2);
/** The same for everybody, until the next release. */
const CATALOGUE_HINT = { ttlMs: 3_600_000, cacheScope: 'public' } as const;

const kindsLike = (start: string) => KINDS.filter((kind) => kind.startsWith(start.toLowerCase()));
const isKind = (text: string): text is Kind => KINDS.some((kind) => kind === text);

// Templates hold no state, so one serves every request.
const modelsOfKind = new ResourceTemplate('kling://models/{kind}', { list: undefined, complete: { kind: kindsLike } });
const task = new ResourceTemplate('kling://tasks/{id}', { list: undefined });

/** What can be read without a tool: the models, and a task by its id. */
export function registerResources(server: McpServer, { api }: ToolDependencies): void {
  server.registerResource(
    'models',
    'kling://models',
    {
      title: 'Models',
      description: 'Models of each kind of task; the first of a kind is the one that is taken without a choice',
      mimeType: JSON_TYPE,
      cacheHint: CATALOGUE_HINT,
    },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: CATALOGUE }] }),
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
    (uri, { kind }) => {
      if (typeof kind !== 'string' || !isKind(kind)) throw new ResourceNotFoundError(uri.href);
      return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(MODELS[kind], null, 2) }] };
    },
  );
  server.registerResource(
    'task',
    task,
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
        const found = await api.task(callOf(ctx), decodeURIComponent(String(id)));
        return { contents: [{ uri: uri.href, mimeType: JSON_TYPE, text: JSON.stringify(found, null, 2) }] };
      } catch (error) {
        if (error instanceof ApiError && error.code === 'task_not_found') throw new ResourceNotFoundError(uri.href);
        throw error;
      }
    },
  );
}
