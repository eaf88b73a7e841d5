import { setTimeout as sleepFor } from 'node:timers/promises';
import { z } from 'zod';
import { createBatchFinder, type Look, type Wanted } from './batch.ts';
import { createCall, findPaths } from './bodies.ts';
import { judgeCode } from './codes.ts';
import { type Credentials, createTokenSource } from './credentials.ts';
import { ENDPOINTS, type Kind } from './endpoints.ts';
import { KlingError } from './errors.ts';
import { createDispatcher, type ExchangeTold, exchange } from './exchange.ts';
import { OPERATIONS, type OperationName } from './operations.ts';
import { callbackBody, taskRecord, type UpstreamTask } from './replies.ts';
import type { REQUESTS } from './schema.ts';

export interface KlingClientOptions {
  /** For example `https://api-singapore.klingai.com`. */
  readonly baseUrl: string;
  readonly credentials: Credentials;
  /** For one HTTP call; a create with a large picture takes longest. */
  readonly timeoutMs?: number;
  /** How often a call is made at most, the first time included. */
  readonly attempts?: number;
  readonly now?: () => number;
  /** 0 ≤ x < 1, for the spread of delays. */
  readonly random?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Told of every HTTP call: metrics. */
  readonly onExchange?: (told: ExchangeTold) => void;
}

export interface KlingClient {
  /**
   * Makes a task, at most once for one `externalId`: when the outcome of a call
   * is unknown the task is looked up, adopted if it is there, and sent again
   * only when Kling says that it does not exist.
   *
   * @throws KlingError; with `outcomeUnknown` when not even the look-up could tell
   * @throws whatever `beforeSend` throws
   */
  create<K extends Kind>(
    kind: K,
    request: z.output<(typeof REQUESTS)[K]>,
    externalId: string,
    options?: CreateOptions,
  ): Promise<UpstreamTask>;
  /** The task, or undefined when Kling does not have it. Takes the vendor's id or the external one. */
  find(kind: Kind, id: string, signal?: AbortSignal): Promise<UpstreamTask | undefined>;
  /**
   * Many tasks at once, by the vendor's ids: one call for 20 of them where Kling
   * offers it, else one call each. Tasks that Kling does not have are left out;
   * a look-up that failed is told as the answer for its tasks. One whose known
   * status still holds may be told as `unchanged`.
   */
  findMany(tasks: readonly Wanted[]): Promise<Map<string, Look>>;
  /**
   * A page of the tasks of a legacy kind that the account has, newest first, as Kling tells them.
   *
   * @param page from 1
   * @param size at most 500
   */
  list(
    kind: Kind,
    page: number,
    size: number,
    signal?: AbortSignal,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A page of the tasks of the newer families, newest first: solutions, or those of every other kind. */
  listRecords(of: 'tasks' | 'solutions', query?: RecordQuery, signal?: AbortSignal): Promise<RecordPage>;
  /**
   * What answers at once and makes no task; gives `data` of the reply as it came.
   * What may cost money or change something is sent once: nothing could be looked up.
   *
   * @throws KlingError; with `outcomeUnknown` when it may have been done nevertheless
   */
  call(name: OperationName, request: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown>;
}

/** Times are Unix milliseconds; without them Kling takes the last 30 days. */
export interface RecordQuery {
  readonly startTime?: number;
  readonly endTime?: number;
  /** `nextCursor` of the page before; goes before the times. */
  readonly cursor?: string;
  /** At most 500. */
  readonly limit?: number;
  readonly status?: readonly string[];
}

export interface RecordPage {
  readonly tasks: readonly UpstreamTask[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

export interface CreateOptions {
  readonly signal?: AbortSignal;
  /** Where Kling is to tell of each change of the task. */
  readonly callbackUrl?: string | undefined;
  /** Runs right before each time that the task is sent; what it throws ends the create. */
  readonly beforeSend?: (attempt: number) => Promise<void>;
  /** Whether to wait and try again when Kling is busy (1302, 1303), which makes no task, or to throw at once. */
  readonly whenBusy?: 'wait' | 'throw';
}

const BACKOFF_MS = { first: 1000, most: 20_000 };

export function createKlingClient(options: KlingClientOptions): KlingClient {
  const tokens = createTokenSource(options.credentials, options.now);
  const attempts = options.attempts ?? 4;
  const random = options.random ?? Math.random;
  const sleep = options.sleep ?? (async (ms, signal) => void (await sleepFor(ms, undefined, signal ? { signal } : {})));
  const exchangeOptions = {
    baseUrl: options.baseUrl,
    tokens,
    dispatcher: createDispatcher(),
    timeoutMs: options.timeoutMs ?? 60_000,
    onExchange: options.onExchange,
  };

  /** Doubles from one second, the upper half at random, so that many clients do not come back together. */
  const backOff = (attempt: number, signal?: AbortSignal) => {
    const full = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (attempt - 1));
    return sleep(full * (0.5 + random() / 2), signal);
  };

  /** A GET, or a POST that changes nothing; made again where that may help. */
  const read = async <T>(
    method: 'GET' | 'POST',
    path: string,
    body: unknown,
    parse: (data: unknown) => T,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return parse(await exchange(method, path, body, { ...exchangeOptions, signal }));
      } catch (error) {
        if (!(error instanceof KlingError)) throw error;
        // Also when this call is not made again: the next one must not be refused for the same token.
        if (error.retry.read === 'after-signing') tokens.renew();
        if (attempt >= attempts || error.retry.read === 'never') throw error;
        if (error.retry.read === 'after-signing') {
          if (attempt > 1) throw error;
        } else await backOff(attempt, signal);
      }
    }
  };

  const find = async (kind: Kind, id: string, signal?: AbortSignal): Promise<UpstreamTask | undefined> => {
    const parse = ENDPOINTS[kind].family === 'legacy' ? (data: unknown) => parseTask(data, 'again') : parseFirst;
    for (const path of findPaths(kind, id)) {
      try {
        const task = await read('GET', path, undefined, parse, signal);
        if (task !== undefined) return task;
      } catch (error) {
        // 1203 and a bare 404 say that the path or the model is unknown, not the task.
        if (!(error instanceof KlingError && error.kind === 'not_found' && error.code === 1201)) throw error;
      }
    }
    return undefined;
  };

  const call: KlingClient['call'] = async (name, request, signal) => {
    const { method, path, scope } = OPERATIONS[name];
    const asQuery = new URLSearchParams(
      Object.entries(request).map(([key, value]): [string, string] => [key, String(value)]),
    ).toString();
    const target = method === 'GET' && asQuery !== '' ? `${path}?${asQuery}` : path;
    const body = method === 'GET' ? undefined : request;
    if (scope === 'read') return await read(method, target, body, (data) => data, signal);
    try {
      return await exchange(method, target, body, { ...exchangeOptions, signal });
    } catch (error) {
      if (!(error instanceof KlingError) || error.retry.create !== 'after-signing') throw error;
      tokens.renew();
      return await exchange(method, target, body, { ...exchangeOptions, signal });
    }
  };

  const list: KlingClient['list'] = (kind, page, size, signal) => {
    const target = `${ENDPOINTS[kind].path}?pageNum=${page}&pageSize=${size}`;
    return read('GET', target, undefined, parseList, signal);
  };

  const listRecords: KlingClient['listRecords'] = (of, query = {}, signal) => {
    const { startTime, endTime, cursor, limit, status } = query;
    const body = {
      ...{ start_time: startTime, end_time: endTime, cursor, limit },
      ...(status === undefined ? {} : { filters: [{ key: 'status', values: status }] }),
    };
    return read('POST', `/${of}`, body, parsePage, signal);
  };

  const create: KlingClient['create'] = async (kind, request, externalId, createOptions = {}) => {
    const { signal, callbackUrl, beforeSend, whenBusy = 'wait' } = createOptions;
    const { path, body } = createCall(kind, request, { externalId, callbackUrl });
    for (let attempt = 1; ; attempt += 1) {
      let failure: KlingError;
      await beforeSend?.(attempt);
      try {
        const data = await exchange('POST', path, body, { ...exchangeOptions, signal });
        return parseTask(data, 'look-up');
      } catch (error) {
        if (!(error instanceof KlingError)) throw error;
        failure = error;
      }
      if (failure.kind === 'duplicate' || failure.outcomeUnknown) {
        // A look-up at once may come before the vendor's own write.
        if (failure.outcomeUnknown) await backOff(attempt, signal);
        const adopted = await find(kind, externalId, signal).catch(() => {
          throw failure.outcomeUnknown ? failure : unknownOutcome(failure);
        });
        if (adopted !== undefined) return adopted;
        if (failure.kind === 'duplicate') {
          // External ids are ours alone, so what Kling calls a duplicate exists and is paid; its look-up lags behind.
          if (attempt >= attempts) throw unknownOutcome(failure);
          await backOff(attempt, signal);
        } else if (failure.kind === 'malformed' || attempt >= attempts) throw absent(failure);
        continue;
      }
      if (attempt >= attempts || failure.retry.create === 'never') throw failure;
      if (whenBusy === 'throw' && (failure.kind === 'rate_limit' || failure.kind === 'concurrency')) throw failure;
      if (failure.retry.create === 'after-signing') {
        if (attempt > 1) throw failure;
        tokens.renew();
      } else await backOff(attempt, signal);
    }
  };

  return {
    create,
    find,
    list,
    listRecords,
    call,
    findMany: createBatchFinder(exchangeOptions, 'apiKey' in options.credentials, find, {
      now: options.now ?? Date.now,
      sleep,
    }),
  };
}

function parseTask(data: unknown, create: 'again' | 'look-up'): UpstreamTask {
  const parsed = callbackBody.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new KlingError({
    judged: {
      kind: 'malformed',
      read: 'never',
      create: create === 'look-up' ? 'look-up' : 'never',
      meaning: 'the reply of Kling holds no readable task',
    },
    httpStatus: 200,
    cause: parsed.error,
  });
}

const listSchema = z.array(z.record(z.string(), z.unknown()));
const pageSchema = z
  .object({ result: z.array(taskRecord), next_cursor: z.string().nullish(), has_more: z.boolean().nullish() })
  .transform(({ result, next_cursor: next, has_more: more }) => ({
    tasks: result,
    nextCursor: more === true && next !== null && next !== '' ? next : undefined,
  }));
const parseList = (data: unknown) => parseAs(listSchema, data);
const parsePage = (data: unknown) => parseAs(pageSchema, data);

function parseAs<S extends z.ZodType>(schema: S, data: unknown): z.output<S> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new KlingError({
    judged: { kind: 'malformed', read: 'never', create: 'never', meaning: 'the reply of Kling holds no list of tasks' },
    httpStatus: 200,
    cause: parsed.error,
  });
}

/** Of the lists that the newer families answer with, empty for a task that is not there. */
function parseFirst(data: unknown): UpstreamTask | undefined {
  const parsed = z.array(taskRecord).safeParse(data);
  return parsed.success ? parsed.data[0] : parseTask(data, 'again');
}

/** Kling said "exists" and then did not show it: it must not be told as a plain refusal. */
function unknownOutcome(failure: KlingError): KlingError {
  return new KlingError({ judged: judgeCode(5000, 500, ''), httpStatus: failure.httpStatus, cause: failure });
}

/** The look-up said that no task exists, so the failure may be told as certain. */
function absent(failure: KlingError): KlingError {
  return new KlingError({
    judged: { kind: failure.kind, read: failure.retry.read, create: 'never', meaning: failure.message },
    httpStatus: failure.httpStatus,
    requestId: failure.requestId,
    vendorMessage: failure.vendorMessage,
    cause: failure,
  });
}
