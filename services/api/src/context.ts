import type { Authenticator } from '@klingapi/identity';
import type { KlingClient } from '@klingapi/kling';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Egress } from './egress/egress.ts';
import type { ByteGate } from './load/byte-gate.ts';
import type { Load } from './load/load.ts';
import type { ApiMetrics } from './metrics/metrics.ts';
import type { OriginRules } from './origins.ts';
import type { ResultStore } from './results/result-store.ts';
import type { Store, UploadBounds } from './storage/store.ts';
import type { Changes } from './tasks/changes.ts';
import type { Loop } from './tasks/loop.ts';
import type { ReplyCache } from './tasks/reply-cache.ts';
import type { Submissions } from './tasks/submissions.ts';

/** What the routes work with. */
export interface Context {
  readonly store: Store;
  /** The name of this process among those that share the store. */
  readonly replica: string;
  readonly submissions: Submissions;
  /** For calls that make no task. */
  readonly client: Pick<KlingClient, 'call' | 'list'>;
  readonly dispatcher: Loop;
  readonly changes: Changes;
  readonly replies: ReplyCache;
  readonly authenticate: Authenticator;
  /** Whether somebody without credentials is refused. */
  readonly guarded: boolean;
  readonly now: () => number;
  readonly egress: Egress;
  /** Where copies of results are; undefined when none are kept. */
  readonly results: ResultStore | undefined;
  readonly uploads: UploadSettings;
  /** The internal key; the keys that callbacks are signed with come from it. */
  readonly masterKey: string | undefined;
  readonly draining: () => boolean;
  readonly metrics: ApiMetrics;
  readonly origins: OriginRules;
  /** What this process has taken on. */
  readonly load: Load;
  /** What is on its way to Kling, with the files of callers that are put in. */
  readonly outgoing: ByteGate;
  /** The address that the outside knows this service by, without a slash at its end. */
  readonly publicUrl: string | undefined;
}

export interface UploadSettings {
  /** How long a file can be used. */
  readonly retentionMs: number;
  /** What one caller may keep. */
  readonly bounds: UploadBounds;
  /** The external address of this service, where Kling can reach it: uploads are given to Kling by it. */
  readonly address: string | undefined;
  /** Makes the sweep look at the clock. */
  readonly wake: () => void;
}

/** Fastify with routes whose types come from their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
