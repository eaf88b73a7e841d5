import { describe, expect, it } from 'vitest';
import { lastRequestBefore } from './last-request.ts';

/** What FastMCP 2.5.1 under uvicorn 0.54.0 logged when one request ended its session manager; frames left out. */
const FASTMCP = `INFO:     Uvicorn running on http://127.0.0.1:25510 (Press CTRL+C to quit)
INFO:     127.0.0.1:45816 - "GET /health HTTP/1.1" 200 OK
INFO:     127.0.0.1:45842 - "POST /mcp/v1 HTTP/1.1" 307 Temporary Redirect
INFO:     127.0.0.1:45844 - "POST /mcp/v1/ HTTP/1.1" 200 OK
INFO:     127.0.0.1:45842 - "POST /mcp/v1/ HTTP/1.1" 200 OK
ERROR:      + Exception Group Traceback (most recent call last):
  |   File "/app/starlette/routing.py", line 661, in lifespan
  |     async with self.lifespan_context(app) as maybe_state:
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/mcp/server/session.py", line 175, in _received_request
    |     raise RuntimeError(
    | RuntimeError: Received request before initialization was complete
    +------------------------------------
`;
const after = 'INFO:     127.0.0.1:45900 - "GET /health HTTP/1.1" 200 OK\n';

describe('the last request before a failure', () => {
  it('is the one that the log of FastMCP shows before the group of exceptions', () => {
    expect(lastRequestBefore(FASTMCP + after)).toBe('POST /mcp/v1/ (HTTP 200)');
    const tool = `INFO:     127.0.0.1:1 - "POST /tool HTTP/1.1" 200 OK\nTraceback (most recent call last):\n`;
    expect(lastRequestBefore(tool + FASTMCP)).toBe('POST /mcp/v1/ (HTTP 200)');
    expect(lastRequestBefore(tool)).toBe('POST /tool (HTTP 200)');
  });

  it('carries neither the caller nor the query', () => {
    const log = FASTMCP.replaceAll('/mcp/v1/', '/mcp/v1/?token=abc123#x');
    expect(lastRequestBefore(log)).toBe('POST /mcp/v1/ (HTTP 200)');
  });

  it('is unknown where the log does not show one', () => {
    expect(lastRequestBefore('')).toBeUndefined();
    expect(lastRequestBefore(after)).toBeUndefined();
    expect(lastRequestBefore('Traceback (most recent call last):')).toBeUndefined();
  });
});
