import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from '@klingapi/identity';
import { createKlingClient, type KlingClientOptions, webhookKey } from '@klingapi/kling';
import { type DrainStep, type Logger, trackConnections } from '@klingapi/management';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { buildApp } from './app.ts';
import { CALLBACK_PATH } from './callbacks/callback-route.ts';
import type { Context, UploadSettings } from './context.ts';
import { createEgress } from './egress/egress.ts';
import { createByteGate } from './load/byte-gate.ts';
import { createLoad, DEFAULT_LOAD_LIMITS, type LoadLimits } from './load/load.ts';
import { watchLoopDelay } from './load/loop-delay.ts';
import { registerMetrics } from './metrics/metrics.ts';
import { startNotifier } from './notifications/notifier.ts';
import { startMirror } from './results/mirror.ts';
import type { ResultStore } from './results/result-store.ts';
import { openStore, type StorageOptions } from './storage/open.ts';
import { createChanges } from './tasks/changes.ts';
import { startDispatcher } from './tasks/dispatcher.ts';
import { takeLease } from './tasks/lease.ts';
import { GATHER_MS } from './tasks/loop.ts';
import { addressProblem } from './tasks/media.ts';
import { startPoller } from './tasks/poller.ts';
import { createProgress, pollDelay } from './tasks/progress.ts';
import { createReplyCache } from './tasks/reply-cache.ts';
import { createSubmissions } from './tasks/submissions.ts';
import { hasEnded } from './tasks/task.ts';
import { fillIn, inlineBytes } from './uploads/references.ts';

export interface ApiOptions {
  readonly host: string;
  readonly port: number;
  readonly storage: StorageOptions;
  readonly upstream: Pick<KlingClientOptions, 'baseUrl' | 'credentials' | 'timeoutMs' | 'sleep'>;
  readonly authentication: Pick<AuthenticatorOptions, 'auth' | 'callersDir' | 'internalKey' | 'intervalMs'>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly now?: () => number;
  /** Milliseconds until a task of unknown outcome is looked up again. */
  readonly retryMs?: number;
  /** Parallel tasks of one model and kind of result; undefined: as many as Kling takes. */
  readonly concurrency?: number | undefined;
  /** Milliseconds without a sign of life after which other replicas take this one for dead. */
  readonly leaseMs?: number;
  /** The address that the outside knows this service by. */
  readonly publicUrl?: string | undefined;
  /** With it Kling's signed callbacks are taken, and asked for where the external address is known. */
  readonly webhookSecret?: string | undefined;
  /** Where copies of results are kept; without it they are gone when Kling deletes them. */
  readonly results?: ResultStore | undefined;
  /** How long copies are kept. */
  readonly resultsRetentionMs?: number;
  /** How long files of callers can be used, and how many bytes of them one caller may keep. */
  readonly uploads?: { readonly retentionMs?: number; readonly bytesPerCaller?: number };
  /** Addresses beside Kling's that may be private, for callbacks too. */
  readonly trusted?: readonly string[];
  /** Origins of pages in browsers that may call; none without it. */
  readonly allowedOrigins?: readonly string[];
  /** Host names that requests may come under without a key, besides those that nobody can claim; `*` allows all. */
  readonly allowedHosts?: readonly string[];
  /** What is taken on at a time; {@link DEFAULT_LOAD_LIMITS} where nothing is said. */
  readonly load?: Partial<LoadLimits>;
}

export interface Api {
  readonly port: number;
  readonly url: string;
  /** Rejects when the storage cannot be reached. */
  ping(): Promise<void>;
  readonly draining: () => boolean;
  /** To be run in order; the last ones release the storage. */
  readonly drainSteps: readonly DrainStep[];
  /** All steps; a second call waits for the first. */
  close(): Promise<void>;
}

const LEASE_MS = 30_000;
const RETENTION_MS = 365 * 24 * 3_600_000;
const UPLOADS = { retentionMs: 7 * 24 * 3_600_000, bytesPerCaller: 1024 ** 3, filesPerCaller: 1000 };

/** @throws DataLockedError when another process works on the folder */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { logger, registry } = options;
  const now = options.now ?? Date.now;
  const loadLimits = { ...DEFAULT_LOAD_LIMITS, ...options.load };
  const metrics = registerMetrics(registry);
  const store = await openStore(options.storage, {
    concurrency: options.concurrency,
    now,
    onEnded: metrics.onEnded,
    onFailure: metrics.onStorageError,
    onError: (problem) => logger.warn({ problem }, 'connection to the database broke'),
  });
  metrics.watchStore(store, now);

  const lease = await takeLease({
    store,
    replica: `${hostname()}/${process.pid}/${randomUUID()}`,
    leaseMs: options.leaseMs ?? LEASE_MS,
    logger,
  });
  const upstream = { ...options.upstream, onExchange: metrics.onExchange, now };
  const changes = createChanges({ store });
  const { results, webhookSecret } = options;
  const publicUrl = options.publicUrl?.replace(/\/+$/, '');
  const callbackUrl = webhookSecret === undefined || publicUrl === undefined ? undefined : publicUrl + CALLBACK_PATH;
  const progress = createProgress({ now, keepsResults: results !== undefined });
  // The sandbox, and relays of one's own, give results from where they are themselves.
  const egress = createEgress({ trusted: [options.upstream.baseUrl, ...(options.trusted ?? [])] });
  const mirror =
    results === undefined
      ? undefined
      : startMirror({
          store,
          results,
          egress,
          logger,
          now,
          onCopy: metrics.onCopy,
          retentionMs: options.resultsRetentionMs ?? RETENTION_MS,
          ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
        });
  if (mirror !== undefined) {
    store.onChange((_id, task) => {
      if (task === undefined || hasEnded(task)) mirror.wake(GATHER_MS);
    });
  }
  const masterKey = options.authentication.internalKey;
  const notifier = startNotifier({
    store,
    egress,
    masterKey,
    logger,
    now,
    publicUrl,
    onSent: metrics.onCallbackSent,
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
  });
  const poller = startPoller({
    store,
    client: createKlingClient({ ...upstream, attempts: 1 }),
    progress,
    logger,
    now,
    onPoll: metrics.onPoll,
  });
  const client = createKlingClient(upstream);
  const uploads: UploadSettings = {
    retentionMs: options.uploads?.retentionMs ?? UPLOADS.retentionMs,
    bounds: { bytes: options.uploads?.bytesPerCaller ?? UPLOADS.bytesPerCaller, files: UPLOADS.filesPerCaller },
    address: publicUrl === undefined || addressProblem(publicUrl) !== undefined ? undefined : publicUrl,
    wake: () => mirror?.wake(),
  };
  const outgoing = createByteGate(loadLimits.bodyBytes);
  const submissions = createSubmissions({
    store,
    client,
    lease,
    progress,
    logger,
    now,
    fillIn: (subject, request) => fillIn({ store, results, address: uploads.address }, subject, request),
    callbackUrl,
    onSubmitted: () => poller.wake(pollDelay(0)),
    onWaiting: () => dispatcher.wake(),
    inlineBytes: (request) => inlineBytes({ store, address: uploads.address }, request),
    gate: outgoing,
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
  });
  const dispatcher = startDispatcher({ store, lease, submissions, logger, now });
  const authenticate: Authenticator = createAuthenticator({
    ...options.authentication,
    audience: 'api',
    onError: (problem) => logger.warn({ problem }, 'callers not loaded'),
  });

  const loopDelay = watchLoopDelay();
  const load = createLoad(loadLimits, loopDelay.milliseconds);
  metrics.watchLoad(load);

  let draining = false;
  const context: Context = {
    store,
    replica: lease.replica,
    submissions,
    client,
    dispatcher,
    changes,
    replies: createReplyCache({ store, publicUrl }),
    authenticate,
    guarded: options.authentication.auth !== 'none',
    now,
    egress,
    results,
    uploads,
    masterKey,
    draining: () => draining,
    publicUrl,
    load,
    outgoing,
    metrics,
    origins: {
      needsKey: options.authentication.auth !== 'none',
      allowedOrigins: options.allowedOrigins ?? [],
      allowedHosts: options.allowedHosts ?? [],
    },
  };
  const callbacks = webhookSecret === undefined ? undefined : { key: webhookKey(webhookSecret), progress };
  const app = await buildApp(context, logger, registry, callbacks);
  const connections = trackConnections(app.server);
  await app.listen({ port: options.port, host: options.host });

  const drainSteps: DrainStep[] = [
    {
      name: 'requests',
      run: async () => {
        draining = true;
        changes.release();
        const closed = app.close();
        connections.closeIdle();
        await closed;
      },
    },
    {
      name: 'upstream calls',
      run: async () => {
        await Promise.all([dispatcher.stop(), poller.stop(), notifier.stop(), mirror?.stop()]);
        await submissions.drain();
      },
    },
    {
      name: 'storage',
      run: async () => {
        authenticate.close();
        loopDelay.stop();
        // Without a word of farewell the others take over when the lease has lapsed.
        await lease.end().catch((error: unknown) => logger.warn({ err: error }, 'lease could not be given back'));
        await Promise.all([store.close(), egress.close(), results?.close()]);
      },
    },
  ];
  let closed: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    for (const step of drainSteps) await step.run();
  };
  const address = z.object({ port: z.number() }).parse(app.server.address());
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    ping: () => store.ping(),
    draining: () => draining,
    drainSteps,
    close() {
      closed ??= closeAll();
      return closed;
    },
  };
}
