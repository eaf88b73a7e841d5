/** The cluster and the person that a command line names, from the kubeconfig alone. */
import { KubeConfig } from '@kubernetes/client-node';
import { createClient, type KubeClient } from '../../kube/client.ts';
import { CommandError } from '../errors.ts';
import type { Options } from '../options.ts';

export interface Kube {
  readonly config: KubeConfig;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly server: string;
  /** Names of the contexts of the kubeconfig. */
  readonly contexts: readonly string[];
}

const REQUEST_TIMEOUT_MS = 10_000;

const needs = <T extends { name: string }>(what: string, name: string, known: readonly T[]): T => {
  const found = known.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  throw new CommandError(
    `the kubeconfig has no ${what} "${name}"; it has ${known.map((entry) => entry.name).join(', ') || 'none'}`,
  );
};

function load(options: Options): KubeConfig {
  const config = new KubeConfig();
  const file = options.text('kubeconfig');
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    throw new CommandError(
      `the kubeconfig cannot be read (${error instanceof Error ? error.message : String(error)}): name one with --kubeconfig or KUBECONFIG`,
    );
  }
  return config;
}

/** @throws CommandError that names what the kubeconfig lacks */
export function openKube(options: Options): Kube {
  const config = load(options);
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
    clusters: config.clusters,
    users:
      as === undefined
        ? config.users
        : config.users.map((entry) => (entry.name === person.name ? { ...entry, impersonateUser: as } : entry)),
    contexts: [chosen],
    currentContext: chosen.name,
  });
  return {
    config,
    server,
    contexts,
    namespace: options.text('namespace') ?? context.namespace ?? 'default',
    client: createClient(config, {
      userAgent: 'kubectl-kling',
      requestTimeoutMs: options.duration('request-timeout') ?? REQUEST_TIMEOUT_MS,
    }),
  };
}
