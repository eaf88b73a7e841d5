/** The three checks, each over the wire as a client would do it. A check never throws; what went wrong is its result. */
import type { EraPolicy, HandshakeResult } from '@klingapi/probe';
import { z } from 'zod';
import { readBody, readJson } from '../body.ts';
import type { Diagnosis } from '../remediation/diagnoses.ts';
import type { Check } from '../resource/status.ts';
import { isOwnTrouble, transportCause, upstreamCause } from './cause.ts';
import { decodePicture } from './picture.ts';

export interface CheckTargets {
  /** Base URL of the API Service, such as http://studio-api.default.svc:5511. */
  apiUrl: string;
  /** URL of the MCP endpoint on its Service. */
  mcpUrl: string;
  mcpHeaders: Record<string, string>;
  eras: EraPolicy;
  handshakeTimeoutMs: number;
  /** Makes a fresh `Authorization` header for the API (subject system:verification). */
  apiAuthorization: () => Promise<string>;
  /** Whether the picture is part of it, and if not, why. */
  image: { run: true } | { run: false; reason: string };
}

export interface CheckTools {
  fetch: typeof fetch;
  handshake: (options: {
    url: string;
    headers: Record<string, string>;
    eras: EraPolicy;
    timeoutMs: number;
  }) => Promise<HandshakeResult>;
  now: () => number;
}

type Outcome = Pick<Check, 'result' | 'reason' | 'message'>;

const health = z.object({ status: z.literal('ok') });
const problem = z.object({ code: z.string().optional(), detail: z.string().optional(), title: z.string().optional() });
const task = z.object({
  id: z.string().min(1),
  status: z.enum(['submitted', 'processing', 'succeeded', 'failed']),
  queued: z.boolean().optional(),
  result: z.object({ images: z.array(z.object({ href: z.string().startsWith('/') })).min(1) }).nullish(),
  error: z.object({ code: z.string().optional(), message: z.string().optional() }).nullish(),
});

/** A task that Kling has no room for by then is not waited for any longer. */
const ROOM_SECONDS = 20;
const WAIT_SECONDS = 120;
const API_TIMEOUT_MS = 15_000;
const MOST_BYTES = { json: 1024 * 1024, picture: 32 * 1024 * 1024 } as const;
const PROMPT = 'A red kite over a quiet bay at dawn';

/** An upstream cause says nothing about this deployment. */
class Upstream extends Error {
  readonly reason: Diagnosis;

  constructor(message: string, reason: Diagnosis) {
    super(message);
    this.reason = reason;
  }
}

const passed = (message: string): Outcome => ({ result: 'Passed', message });

async function apiHealth(targets: CheckTargets, tools: CheckTools): Promise<Outcome> {
  const reply = await tools.fetch(`${targets.apiUrl}/api/health`, { signal: AbortSignal.timeout(API_TIMEOUT_MS) });
  if (!reply.ok) throw new Error(`GET /api/health answered HTTP ${reply.status}`);
  health.parse(await readJson(reply, MOST_BYTES.json));
  return passed('GET /api/health answered HTTP 200');
}

async function mcpHandshake(targets: CheckTargets, tools: CheckTools): Promise<Outcome> {
  const result = await tools.handshake({
    url: targets.mcpUrl,
    headers: targets.mcpHeaders,
    eras: targets.eras,
    timeoutMs: targets.handshakeTimeoutMs,
  });
  if (result.verdict === 'Serving') return passed(result.message);
  if (result.verdict === 'AuthRequired') {
    return {
      result: 'Inconclusive',
      reason: result.diagnosis ?? 'AuthRequired',
      message: `${result.message}; give credentials through spec.mcp.handshake.headersSecretRef to verify it`,
    };
  }
  // what the operator itself could not do says nothing of the server
  if (result.verdict === 'Unknown')
    return { result: 'Inconclusive', reason: result.diagnosis ?? 'NetworkBlocked', message: result.message };
  return {
    result: 'Failed',
    ...(result.diagnosis === null ? {} : { reason: result.diagnosis }),
    message: result.message,
  };
}

async function imageGeneration(targets: CheckTargets, tools: CheckTools): Promise<Outcome> {
  const call = async (path: string, init: RequestInit, timeoutMs = API_TIMEOUT_MS): Promise<Response> => {
    const reply = await tools.fetch(`${targets.apiUrl}${path}`, {
      ...init,
      headers: {
        authorization: await targets.apiAuthorization(),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (reply.ok) return reply;
    const parsed = problem.safeParse(await readJson(reply, MOST_BYTES.json).catch(() => ({})));
    const text = parsed.success ? (parsed.data.detail ?? parsed.data.title ?? '') : '';
    const message = `${init.method ?? 'GET'} ${path.split('?')[0]} answered HTTP ${reply.status}${text === '' ? '' : `: ${text}`}`;
    const cause = upstreamCause(parsed.data?.code);
    throw cause === undefined ? new Error(message) : new Upstream(message, cause);
  };
  const created = task.parse(
    await readJson(
      await call('/api/images/generations', { method: 'POST', body: JSON.stringify({ prompt: PROMPT }) }),
      MOST_BYTES.json,
    ),
  );
  const wait = async (timeoutSeconds: number): Promise<z.output<typeof task>> => {
    const path = `/api/tasks/${encodeURIComponent(created.id)}/wait`;
    const body = JSON.stringify({ timeoutSeconds });
    const waited = await call(path, { method: 'POST', body }, (timeoutSeconds + 15) * 1_000);
    return task.parse(await readJson(waited, MOST_BYTES.json));
  };
  let done = created;
  // In pieces: a look that falls on one of the attempts to submit it does not see that it is queued, the next one does.
  for (let waited = 0; waited < WAIT_SECONDS && isUnfinished(done); waited += ROOM_SECONDS) {
    done = await wait(ROOM_SECONDS);
    if (done.queued === true)
      throw new Upstream(
        `task ${done.id} found no room at Kling within ${waited + ROOM_SECONDS} s`,
        'UpstreamRateLimited',
      );
  }
  if (done.status === 'failed')
    throw new Upstream(
      `task ${done.id} failed: ${done.error?.message ?? 'no reason given'}`,
      upstreamCause(done.error?.code) ?? 'UpstreamRefused',
    );
  if (done.status !== 'succeeded')
    throw new Upstream(`task ${done.id} was still ${done.status} after ${WAIT_SECONDS} s`, 'UpstreamDown');
  const href = done.result?.images[0]?.href;
  if (href === undefined) throw new Error(`task ${done.id} succeeded without a picture`);
  const picture = decodePicture(await readBody(await call(href, {}, 60_000), MOST_BYTES.picture));
  return passed(
    `POST /api/images/generations made a ${picture.type.toUpperCase()} of ${picture.width}x${picture.height}`,
  );
}

function isUnfinished({ status }: z.output<typeof task>): boolean {
  return status === 'submitted' || status === 'processing';
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Upstream) return { result: 'Inconclusive', reason: error.reason, message: error.message };
  if (error instanceof z.ZodError)
    return { result: 'Failed', message: `the reply does not match its schema: ${z.prettifyError(error)}` };
  const cause = transportCause(error);
  if (cause !== undefined) return { result: isOwnTrouble(cause.reason) ? 'Inconclusive' : 'Failed', ...cause };
  return { result: 'Failed', message: error instanceof Error ? error.message : String(error) };
}

async function timed(name: Check['name'], run: () => Promise<Outcome>, now: () => number): Promise<Check> {
  const startedAt = now();
  const outcome = await run().catch(outcomeOf);
  return {
    name,
    ...outcome,
    message: outcome.message.slice(0, 1024),
    // the clock may be set meanwhile
    durationMs: Math.min(3_600_000, Math.max(0, Math.round(now() - startedAt))),
  };
}

/** Does the three checks; API and MCP side by side, the picture after them. */
export async function runChecks(targets: CheckTargets, tools: CheckTools): Promise<Check[]> {
  const [api, mcp] = await Promise.all([
    timed('ApiHealth', () => apiHealth(targets, tools), tools.now),
    timed('McpHandshake', () => mcpHandshake(targets, tools), tools.now),
  ]);
  const image: Check = targets.image.run
    ? await timed('ImageGeneration', () => imageGeneration(targets, tools), tools.now)
    : { name: 'ImageGeneration', result: 'Skipped', message: targets.image.reason };
  return [api, mcp, image];
}

/** Passed of counted checks; a skipped one counts in neither number. */
export const summarize = (checks: Check[]): string => {
  const counted = checks.filter((check) => check.result !== 'Skipped');
  return `${counted.filter((check) => check.result === 'Passed').length}/${counted.length}`;
};
