import { childNames } from '../../resource/names.ts';
import { exposedEndpoint } from '../../verification/exposure.ts';
import { type CallerForms, callerForms, callerKey, callersSecret, takesKeys } from '../cluster/caller-key.ts';
import { type Listed, namedKlingApi } from '../cluster/klingapis.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../errors.ts';
import { OUTPUT } from '../options.ts';
import { formatted } from '../terminal/formats.ts';
import { CLIENT_NAMES, CLIENTS, type ClientName, KEY_VARIABLE, type ServerAddress } from './mcp-clients.ts';

/** Where a client outside of the cluster reaches the server; through a port-forward where it is not exposed. */
export function addressOf(klingApi: Listed, key: string | undefined): ServerAddress & { isForwarded: boolean } {
  const { metadata, spec } = klingApi;
  const outside = exposedEndpoint(klingApi);
  return {
    name: `kling-${metadata.name}`,
    url: outside ?? `http://127.0.0.1:${spec.mcp.port}${spec.mcp.path}`,
    needsKey: takesKeys(klingApi),
    key,
    isForwarded: outside === undefined,
  };
}

/** What has to be so before a client can use it. */
export function preparation(
  klingApi: Listed,
  caller: string,
  server: ReturnType<typeof addressOf>,
  forms: CallerForms | undefined,
): string[] {
  const { name, namespace } = klingApi.metadata;
  return [
    ...(server.isForwarded
      ? [`kubectl port-forward service/${childNames(name).mcp} -n ${namespace} ${klingApi.spec.mcp.port}`]
      : []),
    ...(server.needsKey && server.key === undefined ? [keyLine(klingApi, caller, forms)] : []),
  ];
}

/** @param forms undefined where the Secret may not be read here: then the key is taken to be there in clear */
function keyLine(klingApi: Listed, caller: string, forms: CallerForms | undefined): string {
  const secret = callersSecret(klingApi);
  const read = `kubectl get secret ${secret} -n ${klingApi.metadata.namespace} -o jsonpath='{.data.${caller.replace(/\./g, '\\.')}}' | base64 -d`;
  const form = forms === undefined ? 'Plain' : forms.get(caller);
  switch (form) {
    case 'Plain':
      return `export ${KEY_VARIABLE}="$(${read})"`;
    case 'Json':
      return `export ${KEY_VARIABLE}="$(${read} | jq -r .key)"`;
    case 'Hash':
      return `# Secret ${secret} holds a hash of the key of caller ${caller} alone: set ${KEY_VARIABLE} to the key itself`;
    case undefined:
      return `# Secret ${secret} has no caller ${caller}: name one with --caller (${[...(forms?.keys() ?? [])].join(', ') || 'it has none'})`;
  }
}

export function configText(server: ServerAddress, clients: readonly ClientName[], before: readonly string[]): string {
  const parts = clients.map((client) => {
    const { where, text } = CLIENTS[client](server);
    return `# ${client}: ${where}\n${text}\n`;
  });
  const first = before.length === 0 ? [] : [`# first, in a shell\n${before.join('\n')}\n`];
  return [...first, ...parts].join('\n');
}

export const mcpConfig: Command = {
  name: 'mcp-config',
  summary: 'Print how an MCP client is told of a KlingApi',
  arguments: '[NAME]',
  most: 1,
  about:
    'The key is a reference unless --show-key is given. With one --client standard output is nothing but its configuration.',
  options: {
    client: {
      type: 'string',
      value: CLIENT_NAMES.join('|'),
      choices: CLIENT_NAMES,
      says: 'For which client; all without it',
    },
    caller: { type: 'string', value: 'NAME', says: 'Whose key (default)' },
    'show-key': { type: 'boolean', says: 'Print the key in clear: it spends money' },
    ...OUTPUT,
  },
  examples: [
    'kubectl kling mcp-config studio -n media',
    'kubectl kling mcp-config studio -n media --client vscode > .vscode/mcp.json',
    'kubectl kling mcp-config studio -n media --client claude-code --show-key',
  ],
  async run(invocation) {
    const { options, kube, out, err } = invocation;
    const klingApi = await namedKlingApi(invocation);
    const caller = options.text('caller') ?? 'default';
    const key = options.has('show-key') && takesKeys(klingApi) ? await callerKey(kube(), klingApi, caller) : undefined;
    const server = addressOf(klingApi, key);
    const one = options.choice('client', CLIENT_NAMES);
    const forms = server.needsKey && key === undefined ? await callerForms(kube(), klingApi) : undefined;
    const before = preparation(klingApi, caller, server, forms);
    const format = options.choice('output', ['json', 'yaml']);
    if (format !== undefined) {
      const clients = (one === undefined ? CLIENT_NAMES : [one]).map((client) => [client, CLIENTS[client](server)]);
      out(formatted(format, { url: server.url, before, clients: Object.fromEntries(clients) }));
    } else if (one === undefined) out(configText(server, CLIENT_NAMES, before));
    else {
      // standard output may go into a file
      if (before.length > 0) err(`First, in a shell:\n\n${before.map((line) => `  ${line}\n`).join('')}\n`);
      out(`${CLIENTS[one](server).text}\n`);
    }
    return EXIT.ok;
  },
};
