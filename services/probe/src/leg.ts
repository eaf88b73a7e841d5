import type { LookupFunction } from 'node:net';
import type { Deadline } from './deadline.ts';
import { type Exchange, exchange } from './exchange.ts';
import type { Introduction } from './identity.ts';
import { type Judgement, judge } from './judge.ts';
import { redact } from './redact.ts';
import { redirectTarget } from './redirect.ts';
import { createReplyReader, type ReplyReader } from './reply.ts';
import type { Evidence } from './report.ts';
import type { Opening } from './requests.ts';
import { afterRefusal, nextMemory, type SessionMemory } from './session.ts';

/** Least time for closing a session, even when the reply came at the last moment. */
const CLOSING_MS = 500;

export interface Target {
  url: URL;
  hostHeader: string | undefined;
  headers: Record<string, string>;
  timeoutMs: number;
  lookup: LookupFunction | undefined;
  followRedirects: boolean;
  deadline: Deadline;
}

/** One opening request with everything that belongs to it: redirect, judgement, end of the session. */
export interface Leg extends Judgement {
  evidence: Evidence;
  sessionful: boolean;
  /** What the next handshake with this server has to know about sessions. */
  session: SessionMemory;
}

export async function openLeg(target: Target, opening: Opening, known: SessionMemory = null): Promise<Leg> {
  let attempt = await sendFollowing(target, target.url, opening, known);
  let memory = known;
  if (known?.kind === 'open' && isRefusal(attempt.exchange.status)) {
    // A session that is gone cannot be closed, and closing one that is not known does no harm.
    if (attempt.exchange.status !== 404) await closeSession(target, attempt.url, known.id);
    memory = afterRefusal(known);
    attempt = await sendFollowing(target, target.url, opening, null);
  }

  const secrets = Object.values(target.headers);
  const judgement = judge({
    opening,
    subject: `POST ${attempt.url.pathname}`,
    exchange: attempt.exchange,
    reply: attempt.reply,
    withCredentials: secrets.length > 0,
    timeoutMs: target.timeoutMs,
  });
  const id = sessionId(attempt.exchange);
  if (id !== null) memory = nextMemory(memory, id, judgement.introduction?.protocolVersions ?? []);
  if (id !== null && memory?.kind !== 'open') await closeSession(target, attempt.url, id);
  return {
    ...judgement,
    message: redact(judgement.message, secrets),
    introduction: cleaned(judgement.introduction, secrets),
    evidence: evidenceOf(opening, attempt.exchange, judgement, secrets),
    sessionful: id !== null,
    session: memory,
  };
}

/** What a server calls itself ends in logs and on terminals, like everything else that it says. */
function cleaned(introduction: Introduction | null, secrets: string[]): Introduction | null {
  if (introduction === null) return null;
  const { name, version, protocolVersions } = introduction;
  return {
    name: redact(name, secrets, 128),
    version: redact(version, secrets, 128),
    protocolVersions: protocolVersions.map((one) => redact(one, secrets, 128)),
  };
}

async function sendFollowing(target: Target, url: URL, opening: Opening, known: SessionMemory) {
  const session: Record<string, string> = known?.kind === 'open' ? { 'mcp-session-id': known.id } : {};
  const direct = await send(target, url, opening, session);
  if (!target.followRedirects) return { ...direct, url };
  const redirected = redirectTarget(direct.exchange, url, target.hostHeader);
  return redirected === null
    ? { ...direct, url }
    : { ...(await send(target, redirected, opening, session)), url: redirected };
}

async function send(target: Target, url: URL, opening: Opening, session: Record<string, string>) {
  let reader: ReplyReader = createReplyReader(null, opening.id);
  const seen = await exchange({
    url,
    method: 'POST',
    headers: outgoing(target, { ...opening.headers, ...session }),
    body: opening.body,
    signal: target.deadline.signal,
    lookup: target.lookup,
    read(_status, contentType) {
      reader = createReplyReader(contentType, opening.id);
      return (text) => reader.push(text);
    },
  });
  return { exchange: seen, reply: reader.reply() };
}

function outgoing(target: Target, own: Record<string, string>): Record<string, string> {
  const host = target.hostHeader === undefined ? {} : { host: target.hostHeader };
  return { 'user-agent': 'klingapi-probe', ...host, ...lowerCased(target.headers), ...own };
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Other answers (credentials, load, a dead server) say nothing about the session. */
function isRefusal(status: number | null): boolean {
  return status === 400 || status === 404 || status === 409 || status === 422;
}

function sessionId(seen: Exchange): string | null {
  const id = seen.headers['mcp-session-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}

/**
 * Sessions that nobody closes are memory that the server never gets back. No
 * Content-Type (Fastify refuses a DELETE that has one without a body), and any
 * answer will do: 405 is how servers without sessions say it.
 */
async function closeSession(target: Target, url: URL, session: string): Promise<void> {
  await exchange({
    url,
    method: 'DELETE',
    headers: outgoing(target, { 'mcp-session-id': session }),
    lookup: target.lookup,
    // Half of what is left: a DELETE that hangs must not make the next leg look unreachable.
    signal: AbortSignal.timeout(Math.ceil(Math.max(CLOSING_MS, target.deadline.remainingMs() / 2))),
  });
}

function evidenceOf(opening: Opening, seen: Exchange, judgement: Judgement, secrets: string[]): Evidence {
  return {
    era: opening.era,
    method: opening.method,
    status: seen.status,
    contentType: seen.contentType,
    excerpt: seen.status === null ? null : redact(seen.body, secrets),
    code: judgement.code,
    error: seen.error?.code ?? null,
    phases: seen.phases,
  };
}
