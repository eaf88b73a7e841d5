import { randomUUID } from 'node:crypto';

/**
 * Kills the session manager of a FastMCP 2.5.1 server with one real request:
 * `tools/list` in a session that was opened by `initialize` but never saw
 * `notifications/initialized`. The exception of that session ends the task group
 * that all sessions share.
 *
 * @param url the MCP endpoint
 * @param headers of a caller, if the server wants them
 * @throws Error when the server is no MCP server with sessions (any more)
 */
export async function killSessionManager(url: string, headers: Record<string, string> = {}): Promise<void> {
  const opened = await post(url, headers, {
    method: 'initialize',
    params: {
      protocolVersion: '2025-03-26',
      capabilities: {},
      clientInfo: { name: 'impatient-client', version: '1.0.0' },
    },
  });
  const session = opened.headers.get('mcp-session-id');
  await opened.text();
  if (!opened.ok || session === null) throw new Error(`initialize was answered with HTTP ${opened.status}`);
  // A mount redirects to its path with a slash; the address that answered is the one to go on with.
  const fatal = await post(opened.url, { ...headers, 'mcp-session-id': session }, { method: 'tools/list' });
  const reply = await fatal.text();
  if (!fatal.ok || reply.trim() !== '') {
    throw new Error(`tools/list was answered with HTTP ${fatal.status}, so the server is alive`);
  }
}

async function post(url: string, headers: Record<string, string>, message: Record<string, unknown>): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: randomUUID(), ...message }),
    signal: AbortSignal.timeout(10_000),
  });
}
