import type { V1Pod } from '@kubernetes/client-node';
import { KubeError } from '../../kube/errors.ts';
import { namedKlingApi } from '../cluster/klingapis.ts';
import type { Kube } from '../cluster/kubeconfig.ts';
import { backlog, follow, inOrder, type LogLine, type Source, type Start } from '../cluster/log-streams.ts';
import { findOperators, operatorPods, podsOf } from '../cluster/pods.ts';
import { inWords } from '../cluster/refusal.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, EXIT } from '../errors.ts';

const COMPONENTS = ['mcp', 'api', 'operator', 'sandbox', 'all'] as const;
/** Until new pods are looked for, with --follow. */
const LOOK_MS = 2_000;

const sourceOf =
  (container: string) =>
  ({ metadata, status }: V1Pod): Source[] => {
    // one that never ran has no log, and asking for it is an error
    const known = status?.containerStatuses?.find(({ name }) => name === container);
    const ran = known?.state?.running ?? known?.state?.terminated ?? known?.lastState?.terminated;
    return ran === undefined ? [] : [{ namespace: metadata?.namespace ?? '', pod: metadata?.name ?? '', container }];
  };

/** @param tell told of what may not be looked at, where all were asked for */
async function sources(
  kube: Kube,
  name: string,
  component: (typeof COMPONENTS)[number],
  tell: (text: string) => void,
): Promise<Source[]> {
  const wanted = component === 'all' ? (['mcp', 'api', 'operator', 'sandbox'] as const) : [component];
  const found = await Promise.all(
    wanted.map(async (part) => {
      if (part !== 'operator') return (await podsOf(kube, name, part)).flatMap(sourceOf(part));
      const operators = await findOperators(kube, kube.namespace, undefined).catch((error: unknown) => {
        if (component !== 'all' || !(error instanceof KubeError)) throw error;
        tell(`without the operator: ${inWords(error, kube.server)}`);
        return [];
      });
      const pods = await Promise.all(operators.map(({ metadata }) => operatorPods(kube, metadata?.namespace ?? '')));
      return pods.flat().flatMap(sourceOf('operator'));
    }),
  );
  return found.flat();
}

const keyOf = ({ pod, container }: Source): string => `${pod}/${container}`;

/** Lines of one pod in one colour each would need more colours than there are; the prefix alone is dim. */
function printer({ options, out, paint }: Invocation): (line: LogLine) => void {
  const timed = options.has('timestamps');
  return ({ source, at, text }) =>
    out(`${paint.dim(`[${source.pod}]`)} ${timed && at !== '' ? `${at} ` : ''}${text}\n`);
}

async function followAll(invocation: Invocation, name: string, starts: Map<string, Start>): Promise<void> {
  const { kube, options, signal, pause, err } = invocation;
  const component = options.choice('component', COMPONENTS) ?? 'all';
  const print = printer(invocation);
  const open = new Set<string>();
  while (!signal.aborted) {
    const found = await sources(kube(), name, component, () => {}).catch((error: unknown) => {
      if (!(error instanceof KubeError)) throw error;
      if (!signal.aborted) err(`${inWords(error, kube().server)}\n`);
      return [];
    });
    for (const source of found) {
      const key = keyOf(source);
      if (open.has(key)) continue;
      open.add(key);
      // of a pod that is new nothing is known, so everything is wanted
      const start = starts.get(key) ?? { sinceSeconds: undefined, tailLines: undefined };
      follow(kube(), source, start, signal, (line) => {
        if (line.at !== '') starts.set(key, { after: line.at });
        print(line);
      }).then(
        () => open.delete(key),
        (error: unknown) => {
          // it is tried again at the next look, unless the pod has gone by then
          err(`${source.pod}: ${error instanceof Error ? error.message : String(error)}\n`);
          open.delete(key);
        },
      );
    }
    await pause(LOOK_MS, signal);
  }
}

export const logs: Command = {
  name: 'logs',
  summary: 'Print the logs of MCP, API, sandbox and operator pods, merged by time',
  arguments: '[NAME]',
  most: 1,
  isVerbatim: true,
  options: {
    component: { type: 'string', short: 'c', value: COMPONENTS.join('|'), choices: COMPONENTS, says: 'Whose (all)' },
    follow: { type: 'boolean', short: 'f', says: 'Go on, with new pods too' },
    previous: { type: 'boolean', short: 'p', says: 'Of the containers before their last restart' },
    since: { type: 'string', value: 'TIME', is: 'time', says: 'Only lines that are newer, such as 10m' },
    tail: { type: 'string', value: 'LINES', is: 'number', says: 'Only the last lines of each container' },
    timestamps: { type: 'boolean', says: 'Print the time of each line' },
  },
  examples: [
    'kubectl kling logs studio -n media --since 10m',
    'kubectl kling logs studio -n media -c mcp -f',
    'kubectl kling logs studio -n media -c mcp --previous --tail 50',
  ],
  async run(invocation) {
    const { options, kube, err } = invocation;
    const { name } = (await namedKlingApi(invocation)).metadata;
    const component = options.choice('component', COMPONENTS) ?? 'all';
    const since = options.duration('since');
    const wanted = {
      sinceSeconds: since === undefined ? undefined : Math.max(1, Math.ceil(since / 1_000)),
      tailLines: options.count('tail'),
      previous: options.has('previous'),
    };
    const found = await sources(kube(), name, component, (text) => err(`${text}\n`));
    const kept = await Promise.all(
      found.map(async (source) => {
        try {
          return await backlog(kube(), source, wanted);
        } catch (error) {
          if (!(error instanceof KubeError)) throw error;
          // a container that never restarted has no log before that
          if (!(wanted.previous && error.code === 'BadRequest'))
            err(`${source.pod}: ${inWords(error, kube().server)}\n`);
          return [];
        }
      }),
    );
    if (found.length === 0 && !options.has('follow'))
      throw new CommandError(`no container of ${name} has run yet: kubectl kling doctor ${name} says why`);
    const print = printer(invocation);
    for (const line of inOrder(kept)) print(line);
    if (!options.has('follow')) return EXIT.ok;
    const starts = found.map((source, index): [string, Start] => {
      const after = kept[index]?.findLast(({ at }) => at !== '')?.at;
      return [keyOf(source), after === undefined ? wanted : { after }];
    });
    await followAll(invocation, name, new Map(starts));
    return EXIT.ok;
  },
};
