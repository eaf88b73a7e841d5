import type { LookupFunction } from 'node:net';
import { startDeadline } from './deadline.ts';
import { isModernVersion } from './identity.ts';
import { type Leg, openLeg, type Target } from './leg.ts';
import type { Era, EraPolicy, HandshakeResult } from './report.ts';
import { discoverRequest, initializeRequest, MODERN_VERSION } from './requests.ts';
import type { SessionMemory } from './session.ts';

/** Carries what is known about sessions into a handshake and out of it. */
interface Sessions {
  known: SessionMemory;
}

export interface HandshakeOptions {
  /** The MCP endpoint, http or https. */
  url: string;
  /** Host header to send (`host:port`), for servers with an allow-list that are dialled by address. */
  hostHeader?: string;
  /** Headers of the caller, credentials as a rule. Their values never appear in a result. */
  headers?: Record<string, string>;
  eras?: EraPolicy;
  /** Limit for the whole handshake, in milliseconds; closing a session may take up to 500 ms more. */
  timeoutMs: number;
  /** What an earlier handshake with this very server showed (`HandshakeResult.era`). */
  knownEra?: Era | 'Both' | null;
  /** Resolves the host of `url` in place of the system's own, for instance to refuse some addresses. Not asked for an address. */
  lookup?: LookupFunction;
  /** Whether a 307 or 308 to another path of the same host is followed; true without it. */
  followRedirects?: boolean;
  signal?: AbortSignal;
}

/**
 * A handshake that remembers, for each server, what the next one has to know to
 * do no harm (see `session.ts`). Whoever handshakes with a server again and again
 * uses one of these; the plain {@link handshake} leaves a session behind on old
 * servers each time.
 *
 * @param servers most servers to remember; the one that was asked longest ago is forgotten first
 */
export function createHandshaker(servers = 4096): typeof handshake {
  const memory = new Map<string, SessionMemory>();
  return async (options) => {
    const key = `${options.url} ${options.hostHeader ?? ''}`;
    const sessions = { known: memory.get(key) ?? null };
    try {
      return await shake(options, sessions);
    } finally {
      memory.delete(key);
      memory.set(key, sessions.known);
      const [oldest] = memory.keys();
      if (memory.size > servers && oldest !== undefined) memory.delete(oldest);
    }
  };
}

/**
 * Proves that a server speaks MCP, and does it no harm: old Python servers die of
 * an unknown opening, so `initialize` comes first and `server/discover` is sent
 * only to a server that showed that it does not know `initialize`, that is known
 * for it, or that by policy has to.
 *
 * @returns what was seen; failures are results, not exceptions
 * @throws the signal's reason when `signal` is aborted; TypeError for a bad `url`
 */
export async function handshake(options: HandshakeOptions): Promise<HandshakeResult> {
  return await shake(options, { known: null });
}

async function shake(options: HandshakeOptions, sessions: Sessions): Promise<HandshakeResult> {
  const url = new URL(options.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError('The URL is neither http nor https');
  const deadline = startDeadline(options.timeoutMs, options.signal);
  const target: Target = {
    url,
    hostHeader: options.hostHeader,
    headers: options.headers ?? {},
    timeoutMs: options.timeoutMs,
    lookup: options.lookup,
    followRedirects: options.followRedirects ?? true,
    deadline,
  };
  try {
    const result = slowOrNot(await run(target, sessions, options.eras ?? 'Any', options.knownEra ?? null), target);
    options.signal?.throwIfAborted();
    return result;
  } finally {
    deadline.clear();
  }
}

/** Part of the time limit after which a server that answers is called slow: it still serves. */
const SLOW_SHARE = 0.5;

function slowOrNot(result: Timed, { timeoutMs }: Target): HandshakeResult {
  const { tookMs, ...plain } = result;
  if (plain.verdict !== 'Serving' || plain.diagnosis !== null || tookMs <= timeoutMs * SLOW_SHARE) return plain;
  // without the time it took, which is another with each handshake
  const message = `${plain.message}, but took more than half of the ${timeoutMs} ms that it may take`;
  return { ...plain, diagnosis: 'Slow', message };
}

/** With the time that the server took for its replies. */
type Timed = HandshakeResult & { tookMs: number };

async function run(target: Target, sessions: Sessions, eras: EraPolicy, known: Era | 'Both' | null): Promise<Timed> {
  if (eras === 'Modern') return finished(await discover(target, []));
  if (eras === 'Any' && known === 'Modern') {
    const leg = await discover(target, []);
    // Another era than it had: what was known is out of date, so ask from the start.
    if (leg.otherEra === null) return finished(leg);
  }
  const legacy = await openLeg(target, initializeRequest(), sessions.known);
  sessions.known = legacy.session;
  if (legacy.otherEra !== null && eras === 'Any') return finished(await discover(target, legacy.otherEra.versions));
  const wantsModern = eras === 'Both' || (eras === 'Any' && known === 'Both');
  if (!proved(legacy) || !wantsModern) return finished(legacy);
  const modern = await discover(target, []);
  return proved(modern) ? both(legacy, modern) : finished(modern);
}

/** A server of a later version than ours names what it speaks; it gets one more request in that version. */
async function discover(target: Target, named: string[]): Promise<Leg> {
  const version = named.length === 0 || named.includes(MODERN_VERSION) ? MODERN_VERSION : newest(named);
  const leg = await openLeg(target, discoverRequest(version));
  const other = newest(leg.otherEra?.versions.filter((candidate) => candidate !== version) ?? []);
  return isModernVersion(other) ? openLeg(target, discoverRequest(other)) : leg;
}

function newest(versions: string[]): string {
  return versions.toSorted().at(-1) ?? '';
}

/** Serving by a complete reply, not by "busy, come back later". */
function proved(leg: Leg): boolean {
  return leg.verdict === 'Serving' && leg.introduction !== null;
}

function finished(leg: Leg): Timed {
  const { verdict, diagnosis, message, evidence, introduction, sessionful } = leg;
  const server = introduction === null ? null : { ...introduction, sessionful };
  const tookMs = evidence.phases.totalMs;
  return { verdict, diagnosis, message, era: server === null ? null : evidence.era, evidence, server, tookMs };
}

function both(legacy: Leg, modern: Leg): Timed {
  const first = finished(legacy);
  const versions = [...(first.server?.protocolVersions ?? []), ...(modern.introduction?.protocolVersions ?? [])];
  return {
    ...first,
    era: 'Both',
    message: `${first.server?.name ?? 'the server'} answered initialize and server/discover`,
    evidence: modern.evidence,
    tookMs: first.tookMs + modern.evidence.phases.totalMs,
    server: first.server === null ? null : { ...first.server, protocolVersions: [...new Set(versions)] },
  };
}
