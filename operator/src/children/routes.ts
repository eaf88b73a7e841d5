/**
 * Which requests from outside go to which Service. What is not MCP's goes to the API: its own routes below /api, the
 * Kling-compatible ones (/v1, /tasks, /text-to-video and so on, wherever the vendor has them), /callbacks, /uploads (which
 * Kling fetches without a key), /docs and the page at /. The management port is behind no Service, so nothing leads there.
 */
import { mcpServer } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames } from '../resource/names.ts';

export interface Route {
  path: string;
  /** `Prefix`: this path and everything below it. The longest path that fits wins. */
  match: 'Exact' | 'Prefix';
  service: string;
  port: number;
}

/** Where clients of the MCP specification look for the authorization server; the path of the endpoint may follow. */
const RESOURCE_METADATA = '/.well-known/oauth-protected-resource';

export function routes(klingApi: KlingApi): Route[] {
  const { mcp } = klingApi.spec;
  const names = childNames(klingApi.metadata.name);
  const toMcp = { service: names.mcp, port: mcp.port };
  return [
    // a server at / would take everything from the API
    { path: mcp.path, match: mcp.path === '/' ? 'Exact' : 'Prefix', ...toMcp },
    // of a server of another make only its endpoint is known
    ...(mcpServer(klingApi.spec) === 'Kling' ? [{ path: RESOURCE_METADATA, match: 'Prefix' as const, ...toMcp }] : []),
    { path: '/', match: 'Prefix', service: names.api, port: API_PORT },
  ];
}
