import type { Authenticator } from '@klingapi/identity';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Changes } from './changes.ts';
import type { TaskStore } from './store.ts';
import type { Submissions } from './submissions.ts';

/** What the routes work with. */
export interface Context {
  readonly store: TaskStore;
  readonly submissions: Submissions;
  readonly changes: Changes;
  readonly authenticate: Authenticator;
  readonly now: () => number;
  /** For result files; replaced in tests. */
  readonly fetch: typeof fetch;
  readonly draining: () => boolean;
}

/** Fastify with routes whose types come from their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
