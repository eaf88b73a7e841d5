import { randomUUID } from 'node:crypto';
import { type Scope, signAssertion } from '@klingapi/identity';
import { Agent, type Dispatcher } from 'undici';
import type { z } from 'zod';
import { createCircuit } from './circuit.ts';
import { ApiError, notAsked, refused, unreachable, unreadable } from './errors.ts';
import { type Task, taskSchema } from './task.ts';

/** On whose behalf, and until when. */
export interface Call {
  subject: string;
  scopes: readonly Scope[];
  signal: AbortSignal;
}

export interface Picture {
  /** Base64. */
  data: string;
  mimeType: string;
}

export interface ApiClient {
  create(call: Call, path: string, body: unknown): Promise<Task>;
  task(call: Call, id: string, part?: 'status' | 'result'): Promise<Task>;
  /** Answers when the task is done, at the latest after the given time; the task is then as it is. */
  wait(call: Call, id: string, timeoutSeconds: number): Promise<Task>;
  /** A picture of a task; null when it is no picture or longer than the limit. */
  picture(call: Call, id: string, index: number, limitBytes: number): Promise<Picture | null>;
  /** What costs nothing and makes nothing, and so may be asked twice. */
  ask<S extends z.ZodType>(
    call: Call,
    request: { method: 'GET' | 'POST'; path: string; body?: unknown },
    schema: S,
  ): Promise<z.output<S>>;
  /** What may be kept: asked for unless the copy with this ETag is still right. */
  revalidate<S extends z.ZodType>(
    call: Call,
    path: string,
    etag: string | undefined,
    schema: S,
  ): Promise<Revalidated<z.output<S>>>;
  /** Nobody answers there, so calls are refused at once. */
  isDown(): boolean;
  close(): Promise<void>;
}

export interface Revalidated<Body> {
  /** null when the copy is still right. */
  body: Body | null;
  etag: string | undefined;
  /** For how long the answer is good, where that was told. */
  maxAgeSeconds: number | undefined;
}

export interface ApiClientOptions {
  /** e.g. `http://studio-api:5511` */
  url: string;
  /** Key of the assertions; without one the API has to take anonymous calls. */
  internalKey: string | undefined;
}

interface ApiRequest {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  /** Idempotency key: the same key with the same body is one task. */
  key?: string;
  /** Of the copy that the caller has. */
  etag?: string | undefined;
  /** Answered when something has happened. */
  slow?: boolean;
}

const REPLY_LIMIT = 32 * 1024 * 1024;
/** For what the API knows without asking Kling: clients give up after a minute, and there are two attempts. */
const QUICK_MS = 15_000;
const NO_TASK = 'There is no task with this id. The id is the one that a create tool returned.';
const DOWN_AFTER_CALLS = 3;
/** Short, because an API that is being replaced is back within seconds. */
const TRY_EVERY_MS = 2_000;

/**
 * Client of our own API service. Connections are kept and shared by all calls.
 * Each call carries a fresh assertion for its caller; a client's own token never
 * leaves this process. A call is tried a second time when the connection breaks; a
 * create carries an idempotency key, so it is paid once even then. When nobody
 * answered several calls in a row, the next ones fail at once, but for one in a while.
 *
 * @throws ApiError from every method
 */
export function createApiClient({ url, internalKey }: ApiClientOptions): ApiClient {
  const { origin, pathname } = new URL(url);
  const prefix = pathname.replace(/\/$/, '');
  const agent = new Agent({
    connections: 64,
    connectTimeout: 5_000,
    // Longer than the slices in which the API is asked to wait.
    headersTimeout: 45_000,
    bodyTimeout: 45_000,
    keepAliveTimeout: 30_000,
  });
  const circuit = createCircuit({
    failures: DOWN_AFTER_CALLS,
    openMs: TRY_EVERY_MS,
    now: () => performance.now(),
  });

  async function send(
    call: Call,
    { method, path, body, key, etag, slow }: ApiRequest,
  ): Promise<Dispatcher.ResponseData> {
    const token =
      internalKey === undefined
        ? undefined
        : await signAssertion({ subject: call.subject, audience: 'api', scopes: call.scopes }, internalKey);
    return await agent.request({
      origin,
      path: prefix + path,
      method,
      signal: call.signal,
      ...(slow === true || key !== undefined ? {} : { headersTimeout: QUICK_MS }),
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  async function sendTwice(call: Call, request: ApiRequest): Promise<Dispatcher.ResponseData> {
    // Waits have a pace and a patience of their own, and are answered too late to try whether anybody is there.
    const tries = request.slow !== true;
    if (tries && !circuit.lets()) throw notAsked(DOWN_AFTER_CALLS);
    const reply = await send(call, request).catch(async (error: unknown) => {
      if (call.signal.aborted) throw error;
      return await send(call, request).catch((again: unknown) => {
        if (call.signal.aborted) throw again;
        const mayHaveArrived = request.key !== undefined && !(neverConnected(error) && neverConnected(again));
        if (tries) circuit.failed();
        throw unreachable(again, mayHaveArrived);
      });
    });
    circuit.answered();
    return reply;
  }

  return {
    async create(call, path, body) {
      return await read(await sendTwice(call, { method: 'POST', path, body, key: randomUUID() }), taskSchema, true);
    },
    async task(call, id, part) {
      const path = `${taskPath(id)}${part === undefined ? '' : `/${part}`}`;
      return await read(await sendTwice(call, { method: 'GET', path }), taskSchema, false);
    },
    async wait(call, id, timeoutSeconds) {
      const path = `${taskPath(id)}/wait`;
      const reply = await sendTwice(call, { method: 'POST', path, body: { timeoutSeconds }, slow: true });
      return await read(reply, taskSchema, false);
    },
    async picture(call, id, index, limitBytes) {
      const reply = await sendTwice(call, { method: 'GET', path: `${taskPath(id)}/results/${index}` });
      const mimeType =
        String(reply.headers['content-type'] ?? '')
          .split(';')[0]
          ?.trim() ?? '';
      const bytes = await readBytes(reply, limitBytes).catch((error: unknown) => {
        throw unreachable(error, false);
      });
      if (reply.statusCode !== 200)
        throw refused(reply.statusCode, parse(bytes), first(reply.headers['retry-after']), false);
      if (!mimeType.startsWith('image/')) return null;
      return bytes === null ? null : { data: bytes.toString('base64'), mimeType };
    },
    async ask(call, request, schema) {
      return await read(await sendTwice(call, request), schema, false);
    },
    async revalidate(call, path, etag, schema) {
      const reply = await sendTwice(call, { method: 'GET', path, etag });
      const unchanged = reply.statusCode === 304;
      if (unchanged) await reply.body.dump();
      return {
        body: unchanged ? null : await read(reply, schema, false),
        etag: first(reply.headers['etag']),
        maxAgeSeconds: maxAge(first(reply.headers['cache-control'])),
      };
    },
    isDown: () => circuit.isOpen(),
    close: () => agent.destroy(),
  };
}

/** @throws ApiError for what would be another path */
function taskPath(id: string): string {
  if (id === '.' || id === '..' || !id.isWellFormed()) throw new ApiError('task_not_found', NO_TASK, false);
  return `/api/tasks/${encodeURIComponent(id)}`;
}

async function read<S extends z.ZodType>(
  reply: Dispatcher.ResponseData,
  schema: S,
  creates: boolean,
): Promise<z.output<S>> {
  const bytes = await readBytes(reply, REPLY_LIMIT).catch((error: unknown) => {
    throw unreachable(error, creates);
  });
  const body = parse(bytes);
  if (reply.statusCode >= 400) throw refused(reply.statusCode, body, first(reply.headers['retry-after']), creates);
  const read = schema.safeParse(body);
  if (!read.success) throw unreadable(read.error, creates);
  return read.data;
}

/** null when there are more bytes than wanted; the connection is then given up rather than read to its end. */
async function readBytes(reply: Dispatcher.ResponseData, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply.body) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > limit) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer | null): unknown {
  try {
    return bytes === null ? null : JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function maxAge(cacheControl = ''): number | undefined {
  if (/\bno-(cache|store)\b/i.test(cacheControl)) return 0;
  const seconds = /\bmax-age=(\d+)/i.exec(cacheControl)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

function neverConnected(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(String(code));
}
