import { spawn } from 'node:child_process';
import { z } from 'zod';
import { openForward } from '../cluster/forward.ts';
import type { Kube } from '../cluster/kubeconfig.ts';
import { findOperators, isReady, operatorPods } from '../cluster/pods.ts';
import { look } from '../cluster/seen.ts';
import type { Command } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';

/** Name of the container port of the operator that serves the page. */
const PORT_NAME = 'console';

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open', win32: 'explorer' };

const leaseSchema = z.object({ spec: z.object({ holderIdentity: z.string() }) });

/** The one that leads makes the handshakes, so it has the most to show; undefined where that may not be read. */
async function leaderOf(kube: Kube, namespace: string, name: string): Promise<string | undefined> {
  const lease = await look(() =>
    kube.client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }),
  );
  const { data } = leaseSchema.safeParse(lease.kind === 'Seen' ? lease.value : undefined);
  return data?.spec.holderIdentity.split('_')[0];
}

export const consoleCommand: Command = {
  name: 'console',
  summary: "Reach the operator's page for people through the API server",
  arguments: '',
  most: 0,
  about: 'Holds a port of this machine open until Ctrl-C. The page is off unless the operator was installed with it.',
  options: {
    port: { type: 'string', value: 'PORT', is: 'number', says: 'Port of this machine; a free one without it' },
    open: { type: 'boolean', says: 'Open it in the browser' },
    'operator-namespace': {
      type: 'string',
      value: 'NAMESPACE',
      says: 'Where the operator runs; the usual places without it',
    },
  },
  examples: ['kubectl kling console --open'],
  async run({ options, kube, out, signal }) {
    const [operator] = await findOperators(kube(), kube().namespace, options.text('operator-namespace'));
    if (operator === undefined)
      throw new CommandError('no operator looks after this namespace: name its own with --operator-namespace');
    const namespace = operator.metadata?.namespace ?? '';
    const port = operator.spec?.template.spec?.containers
      .flatMap(({ ports = [] }) => ports)
      .find(({ name }) => name === PORT_NAME)?.containerPort;
    if (port === undefined)
      throw new CommandError(
        `the operator in namespace ${namespace} serves no page: install it with --set console.enabled=true`,
      );
    const ready = (await operatorPods(kube(), namespace)).filter(isReady);
    const leader = await leaderOf(kube(), namespace, operator.metadata?.name ?? '');
    const pod = ready.find(({ metadata }) => metadata?.name === leader) ?? ready[0];
    if (pod === undefined)
      throw new CommandError(`no operator pod in namespace ${namespace} is ready: kubectl kling doctor says why`);
    const forward = await openForward(
      kube(),
      { namespace, pod: pod.metadata?.name ?? '', port },
      options.count('port') ?? 0,
    );
    const url = `http://127.0.0.1:${forward.port}/`;
    out(`${url}\n`);
    const opener = OPENERS[process.platform];
    if (options.has('open') && opener !== undefined)
      spawn(opener, [url], { stdio: 'ignore', detached: true })
        .on('error', () => {})
        .unref();
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await forward.close();
    return EXIT.ok;
  },
};
