import { parseArgs } from 'node:util';
import { KINDS } from '../../kube/kinds.ts';
import { listKlingApis } from '../cluster/klingapis.ts';
import { type Kube, openKube } from '../cluster/kubeconfig.ts';
import { loadKubeConfig } from '../cluster/kubeconfig-files.ts';
import type { Around, Command, Invocation } from '../command.ts';
import { EXIT, UsageError } from '../errors.ts';
import { Options, SHARED } from '../options.ts';
import { candidateLines, candidates, type Names } from './candidates.ts';
import { SCRIPTS, SHELLS } from './completion-scripts.ts';

export const completion: Command = {
  name: 'completion',
  summary: 'Print the script that makes a shell complete what is typed',
  arguments: SHELLS.join('|'),
  most: 1,
  about: 'kubectl: the program kubectl_complete-kling, with which kubectl itself completes "kubectl kling".',
  options: {},
  examples: [
    'source <(kubectl kling completion bash)',
    'kubectl kling completion kubectl > /usr/local/bin/kubectl_complete-kling && chmod +x /usr/local/bin/kubectl_complete-kling',
  ],
  async run({ options, out }) {
    const [wanted] = options.positionals;
    const shell = SHELLS.find((name) => name === wanted);
    if (shell === undefined) throw new UsageError(`completion takes a shell: one of ${SHELLS.join(', ')}`);
    out(SCRIPTS[shell]);
    return EXIT.ok;
  },
};

/** Longer than this nobody waits for a word. */
const TYPING_MS = 3_000;

/** Flags of an unfinished line that say which cluster is asked. */
function clusterOptions(words: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...words],
    strict: false,
    options: Object.fromEntries(
      Object.entries(SHARED).map(([name, option]) => [
        name,
        { type: option.type, ...('short' in option ? { short: option.short } : {}) },
      ]),
    ),
  });
  const texts = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [[name, value] as const] : [],
  );
  return new Options(SHARED, { 'request-timeout': `${TYPING_MS}ms`, ...Object.fromEntries(texts) }, []);
}

/** Somebody is typing: whatever cannot be had is no candidate, and nothing is said about it. */
function namesOf(words: readonly string[], { env, signal }: Around): Names & { close(): Promise<void> } {
  const around = { env, signal: AbortSignal.any([signal, AbortSignal.timeout(TYPING_MS)]) };
  let kube: Kube | undefined;
  const open = (): Kube => {
    kube ??= openKube(clusterOptions(words), around, true);
    return kube;
  };
  const orNone = (ask: () => Promise<readonly string[]>) => async (): Promise<readonly string[]> => {
    try {
      return await ask();
    } catch {
      return [];
    }
  };
  return {
    shells: SHELLS,
    klingApis: orNone(async () =>
      (await listKlingApis(open(), open().namespace, () => {})).map(({ metadata }) => metadata.name),
    ),
    namespaces: orNone(async () =>
      (await open().client.list(KINDS.Namespace)).items.flatMap(({ metadata }) => metadata?.name ?? []),
    ),
    contexts: () => {
      try {
        // one that is half typed is in no file yet
        const file = clusterOptions(words).text('kubeconfig');
        return loadKubeConfig(file, env).contexts.map(({ name }) => name);
      } catch {
        return [];
      }
    },
    close: async () => kube?.client.close(),
  };
}

export const complete: Command = {
  name: '__complete',
  summary: 'Print what may come next',
  arguments: 'WORD...',
  most: Number.POSITIVE_INFINITY,
  options: {},
  examples: [],
  async run(invocation: Invocation) {
    const { options, out, commands } = invocation;
    const words = options.positionals;
    const names = namesOf(words.slice(0, -1), invocation);
    out(candidateLines(await candidates(words, commands, names)));
    await names.close();
    return EXIT.ok;
  },
};
