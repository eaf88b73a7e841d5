/** The way of an MCP client to the server: its public address, or a port-forward where it has none. */

import { Agent, type buildConnector, type Dispatcher, ProxyAgent, fetch as undiciFetch } from 'undici';
import { exposedEndpoint } from '../../verification/exposure.ts';
import { callerKey, keyInEnvironment, takesKeys } from '../cluster/caller-key.ts';
import { openForward } from '../cluster/forward.ts';
import type { Listed } from '../cluster/klingapis.ts';
import { isReady, podsOf } from '../cluster/pods.ts';
import { proxyFor } from '../cluster/proxy.ts';
import type { Invocation } from '../command.ts';
import { AUTHORITY } from '../commands/doctor.ts';
import { CommandError } from '../errors.ts';
import type { OptionTable } from '../options.ts';
import { pinnedLookup, RESOLVE } from '../resolve.ts';

export const ROUTE_OPTIONS = {
  ...AUTHORITY,
  'tls-server-name': {
    type: 'string',
    value: 'NAME',
    says: 'Name that the certificate is for, where it is another than that of the address',
  },
  ...RESOLVE,
  'port-forward': { type: 'boolean', says: 'Go through the API server although there is a public address' },
  'insecure-http': {
    type: 'boolean',
    says: 'Send the key although the address is plain http: whoever is on the way can read it',
  },
  caller: { type: 'string', value: 'NAME', says: 'Whose key of the Secret (default)' },
  'key-env': {
    type: 'string',
    value: 'VARIABLE',
    says: 'Take the key from an environment variable instead of the Secret',
  },
} as const satisfies OptionTable;

export interface Route {
  readonly url: string;
  readonly isForwarded: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/** Long enough for a picture; the deadline of the whole is another. */
const SILENCE_MS = 600_000;

function connectOptions(resolve: string | undefined, servername: string | undefined): buildConnector.BuildOptions {
  return {
    ...(servername === undefined ? {} : { servername }),
    ...(resolve === undefined ? {} : { lookup: pinnedLookup(resolve) }),
  };
}

/** The fetch of undici itself: that of Node takes no dispatcher of another version. */
function through(agent: Dispatcher): typeof fetch {
  const send: unknown = (input: string | URL, init: Parameters<typeof undiciFetch>[1]) =>
    undiciFetch(input, { ...init, dispatcher: agent });
  return send as typeof fetch;
}

/** @throws CommandError where no pod is ready, or the key cannot be had */
export async function openRoute(invocation: Invocation, klingApi: Listed): Promise<Route> {
  const { options, kube, env } = invocation;
  const { name, namespace } = klingApi.metadata;
  const { port, path } = klingApi.spec.mcp;
  const key =
    keyInEnvironment(invocation) ??
    (takesKeys(klingApi) ? await callerKey(kube(), klingApi, options.text('caller')) : undefined);
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const outside = options.has('port-forward') ? undefined : exposedEndpoint(klingApi);
  const limits = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS };
  if (outside !== undefined) {
    if (key !== undefined && new URL(outside).protocol !== 'https:' && !options.has('insecure-http'))
      throw new CommandError(
        `${outside} is not encrypted, and whoever is on the way could read the key: use --port-forward, or --insecure-http where that is no harm`,
      );
    const connect = connectOptions(options.text('resolve'), options.text('tls-server-name'));
    const proxy = options.text('resolve') === undefined ? proxyFor(outside, env) : undefined;
    const agent =
      proxy === undefined
        ? new Agent({ ...limits, connect })
        : new ProxyAgent({ ...limits, uri: proxy, requestTls: connect });
    return { url: outside, isForwarded: false, headers, fetch: through(agent), close: () => agent.destroy() };
  }
  const pod = (await podsOf(kube(), name, 'mcp')).find(isReady);
  if (pod === undefined)
    throw new CommandError(`no MCP pod of ${name} is ready: kubectl kling doctor ${name} -n ${namespace} says why`);
  const forward = await openForward(kube(), { namespace, pod: pod.metadata?.name ?? '', port });
  const agent = new Agent(limits);
  return {
    url: `http://127.0.0.1:${forward.port}${path}`,
    isForwarded: true,
    headers,
    fetch: through(agent),
    close: async () => {
      await agent.destroy();
      await forward.close();
    },
  };
}
