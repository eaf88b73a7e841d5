/** How each MCP client is told of a server. The key is a reference to where the client finds it, unless it is given in clear. */

export interface ServerAddress {
  /** Name of the server in the client's list. */
  readonly name: string;
  readonly url: string;
  /** Whether a bearer token goes with each request. */
  readonly needsKey: boolean;
  /** In clear; without it a reference. */
  readonly key: string | undefined;
}

export interface ClientConfiguration {
  /** File that it goes into, or where it is typed. */
  readonly where: string;
  readonly text: string;
}

/** Environment variable that the references name. */
export const KEY_VARIABLE = 'KLING_MCP_KEY';

const json = (value: object): string => JSON.stringify(value, null, 2);
const bearer = ({ needsKey, key }: ServerAddress, reference: string): { headers?: { Authorization: string } } =>
  needsKey ? { headers: { Authorization: `Bearer ${key ?? reference}` } } : {};
const headerArgument = ({ needsKey, key }: ServerAddress): string =>
  needsKey ? ` --header "Authorization: Bearer ${key ?? `$${KEY_VARIABLE}`}"` : '';

/** Claude Desktop starts programs only, so a bridge speaks HTTP for it. */
function claudeDesktop(server: ServerAddress): ClientConfiguration {
  const { name, url, needsKey, key } = server;
  const isPlain = new URL(url).protocol === 'http:';
  const header = needsKey ? ['--header', `Authorization:\${${KEY_VARIABLE}_HEADER}`] : [];
  const env = needsKey ? { env: { [`${KEY_VARIABLE}_HEADER`]: `Bearer ${key ?? 'PUT_THE_KEY_HERE'}` } } : {};
  const args = ['-y', 'mcp-remote', url, ...header, ...(isPlain ? ['--allow-http'] : [])];
  return {
    where: 'claude_desktop_config.json (Settings, Developer, Edit Config)',
    text: json({ mcpServers: { [name]: { command: 'npx', args, ...env } } }),
  };
}

export const CLIENTS = {
  'claude-code': (server: ServerAddress): ClientConfiguration => ({
    where: 'a shell',
    text: `claude mcp add --transport http ${server.name} ${server.url}${headerArgument(server)}`,
  }),
  'claude-desktop': claudeDesktop,
  cursor: (server: ServerAddress): ClientConfiguration => ({
    where: '~/.cursor/mcp.json, or .cursor/mcp.json of a project',
    text: json({ mcpServers: { [server.name]: { url: server.url, ...bearer(server, `\${env:${KEY_VARIABLE}}`) } } }),
  }),
  vscode: (server: ServerAddress): ClientConfiguration => ({
    where: '.vscode/mcp.json of a project (VS Code asks for the key once)',
    text: json({
      ...(server.needsKey && server.key === undefined
        ? {
            inputs: [
              { type: 'promptString', id: `${server.name}-key`, description: `Key of ${server.name}`, password: true },
            ],
          }
        : {}),
      servers: { [server.name]: { type: 'http', url: server.url, ...bearer(server, `\${input:${server.name}-key}`) } },
    }),
  }),
  inspector: (server: ServerAddress): ClientConfiguration => ({
    where: 'a shell',
    text: `npx @modelcontextprotocol/inspector --cli ${server.url} --transport http --method tools/list${headerArgument(server)}`,
  }),
} as const;

export type ClientName = keyof typeof CLIENTS;
export const CLIENT_NAMES = Object.keys(CLIENTS).filter((name): name is ClientName => Object.hasOwn(CLIENTS, name));
