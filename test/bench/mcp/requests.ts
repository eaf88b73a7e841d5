/** What clients send, in each era. */
export interface McpRequest {
  readonly method: string;
  readonly era: 'legacy' | 'modern';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const CLIENT = { name: 'bench', version: '1.0.0' };
const ARGUMENTS = {
  name: 'create_text_to_image_tool',
  arguments: { prompt: 'a red fox in the snow', aspect_ratio: '16:9' },
};

function legacy(method: string, params: object): McpRequest {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const version = method === 'initialize' ? {} : { 'mcp-protocol-version': '2025-11-25' };
  return { method, era: 'legacy', headers: { ...HEADERS, ...version }, body };
}

function modern(method: string, params: object, name?: string): McpRequest {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': CLIENT,
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } });
  const said = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name ? { 'mcp-name': name } : {}) };
  return { method, era: 'modern', headers: { ...HEADERS, ...said }, body };
}

export const INITIALIZE = legacy('initialize', {
  protocolVersion: '2025-11-25',
  capabilities: { roots: { listChanged: true } },
  clientInfo: CLIENT,
});
export const TOOLS_LIST = legacy('tools/list', {});
export const CALL = legacy('tools/call', ARGUMENTS);
/** What is asked of every peer that speaks the era. */
export const SHARED = [
  ...[INITIALIZE, TOOLS_LIST, CALL],
  ...[modern('server/discover', {}), modern('tools/list', {}), modern('tools/call', ARGUMENTS, ARGUMENTS.name)],
];
/** What the peers do not have. */
export const OTHER_LISTS = [
  ...[legacy('prompts/list', {}), legacy('resources/list', {}), legacy('resources/templates/list', {})],
  ...[modern('prompts/list', {}), modern('resources/list', {}), modern('resources/templates/list', {})],
];
export const LISTEN = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
