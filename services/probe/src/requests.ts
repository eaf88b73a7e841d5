import type { Era } from './report.ts';

/** The newest version that opens with `initialize`. */
export const LEGACY_VERSION = '2025-11-25';
/** The version we speak of the era without `initialize`. */
export const MODERN_VERSION = '2026-07-28';

const CLIENT = { name: 'klingapi-probe', version: '0.1.0' };

/** One opening request: what to send and how to recognise its reply. */
export interface Opening {
  era: Era;
  method: 'initialize' | 'server/discover';
  id: number;
  headers: Record<string, string>;
  body: string;
}

/**
 * Complete and correct on purpose: an `initialize` without its params kills old
 * Python servers. It carries no `MCP-Protocol-Version` header, by the
 * specification of 2025-11-25.
 */
export function initializeRequest(): Opening {
  return opening(
    'Legacy',
    'initialize',
    1,
    {},
    {
      protocolVersion: LEGACY_VERSION,
      capabilities: {},
      clientInfo: CLIENT,
    },
  );
}

/** @param version the modern version to speak; also sent as header, which has to match */
export function discoverRequest(version: string): Opening {
  return opening(
    'Modern',
    'server/discover',
    2,
    { 'mcp-protocol-version': version, 'mcp-method': 'server/discover' },
    {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': version,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': CLIENT,
      },
    },
  );
}

function opening(
  era: Era,
  method: Opening['method'],
  id: number,
  headers: Record<string, string>,
  params: Record<string, unknown>,
): Opening {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  return {
    era,
    method,
    id,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      accept: 'application/json, text/event-stream',
    },
    body,
  };
}
