/**
 * What is known about the sessions of one server. `open`: a session that is kept
 * and used again by the next handshake; `refused`: the one before it was not taken
 * again. `closes`: sessions are closed after each handshake. null: nothing yet.
 */
export type SessionMemory = { kind: 'open'; id: string; refused: boolean } | { kind: 'closes' } | null;

/** First version of the SDKs in which one broken session no longer ends all of them. */
const STURDY_SINCE = '2025-06-18';

/**
 * As a rule a session is closed again: what nobody closes is memory that most
 * servers never get back.
 *
 * Not on old servers. A Python server with mcp before 1.10 and anyio 4.16 loses
 * its session manager at the first DELETE, and every request after it is HTTP
 * 500 (measured; with older anyio it survives). They show themselves by the
 * version they negotiate. There one session is kept, and each handshake sends
 * `initialize` in it again, which that server answers in full; it costs less
 * memory than opening and closing (0.3 instead of 3.5 KiB a handshake).
 *
 * @param known what was known before this handshake
 * @param id session of the reply
 * @param versions what the server negotiated; empty when its reply was no good
 */
export function nextMemory(known: SessionMemory, id: string, versions: readonly string[]): SessionMemory {
  if (known?.kind === 'closes') return known;
  const [version] = versions;
  const open = { kind: 'open', id, refused: known?.refused === true && known.id !== id } as const;
  // A server that failed says nothing about its age, so nothing is done to it.
  if (version === undefined) return open;
  return version < STURDY_SINCE ? open : { kind: 'closes' };
}

/**
 * A kept session was refused. Once is what a restarted server does (old Python
 * answers 400 to a session it does not know); twice in a row is a server that
 * takes `initialize` only once a session, and none of the fragile ones does that.
 */
export function afterRefusal(known: SessionMemory & { kind: 'open' }): SessionMemory {
  return known.refused ? { kind: 'closes' } : { ...known, refused: true };
}
