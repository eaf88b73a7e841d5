/** The cluster and the person that a command line names, from the kubeconfig alone. */
import type { KubeConfig } from '@kubernetes/client-node';
import { createClient, type KubeClient } from '../../kube/client.ts';
import type { Around } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Options } from '../options.ts';
import { credentialOf } from './credential.ts';
import { loadKubeConfig } from './kubeconfig-files.ts';
import { proxyFor } from './proxy.ts';

export interface Kube {
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly server: string;
  /** Names of the contexts of the kubeconfig. */
  readonly contexts: readonly string[];
  /** Longest time of one request, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Aborts with Ctrl-C, and with it every call. */
  readonly signal: AbortSignal;
  /** Whoever goes around `client` waits for it first: the person may have to log in. */
  readonly prepare: () => Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;

const needs = <T extends { name: string }>(what: string, name: string, known: readonly T[]): T => {
  const found = known.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new CommandError(
    `the kubeconfig has no ${what} "${name}"; it has ${known.map((entry) => entry.name).join(', ') || 'none'}`,
  );
};

/** As the API server names them; anything else would make another path of it. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function namespaceOf(options: Options, ofContext: string | undefined): string {
  const given = options.text('namespace');
  if (given !== undefined && !LABEL.test(given))
    throw new UsageError(`--namespace "${given}" is no name of a namespace`);
  return given ?? (ofContext || 'default');
}

/**
 * @param isQuiet somebody is only typing, so nobody is asked to log in
 * @throws CommandError that names what the kubeconfig lacks
 */
export function openKube(options: Options, { env, signal }: Pick<Around, 'env' | 'signal'>, isQuiet = false): Kube {
  const config = loadKubeConfig(options.text('kubeconfig'), env);
  const wanted = options.text('context');
  if (wanted !== undefined) config.setCurrentContext(needs('context', wanted, config.contexts).name);
  const context = config.getContextObject(config.currentContext);
  const cluster = options.text('cluster') ?? context?.cluster;
  const user = options.text('user') ?? context?.user;
  if (context === null || cluster === undefined || user === undefined)
    throw new CommandError(
      'the kubeconfig has no current context: choose one with --context or kubectl config use-context',
    );
  const contexts = config.contexts.map(({ name }) => name);
  const { server } = needs('cluster', cluster, config.clusters);
  const person = needs('user', user, config.users);
  const as = options.text('as');
  const chosen = { name: 'kubectl-kling', cluster, user: person.name };
  config.loadFromOptions({
    clusters: config.clusters.map((entry) => {
      const proxyUrl = entry.name === cluster ? (entry.proxyUrl ?? proxyFor(entry.server, env)) : entry.proxyUrl;
      return proxyUrl === undefined ? entry : { ...entry, proxyUrl };
    }),
    users:
      as === undefined
        ? config.users
        : config.users.map((entry) => (entry.name === person.name ? { ...entry, impersonateUser: as } : entry)),
    contexts: [chosen],
    currentContext: chosen.name,
  });
  const requestTimeoutMs = options.duration('request-timeout') ?? REQUEST_TIMEOUT_MS;
  const prepare = credentialOf(config, { signal, isQuiet });
  return {
    ...{ config, server, contexts, requestTimeoutMs, signal },
    prepare: prepare ?? (async () => {}),
    namespace: namespaceOf(options, context.namespace),
    client: createClient(config, { userAgent: 'kubectl-kling', requestTimeoutMs, signal, prepare }),
  };
}
