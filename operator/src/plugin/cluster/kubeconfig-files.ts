/** The files of a kubeconfig, merged as kubectl merges them: the first that says something wins, and one that is missing is skipped. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Around } from '../command.ts';
import { CommandError } from '../errors.ts';

const unreadable = (error: unknown): CommandError =>
  new CommandError(
    `the kubeconfig cannot be read (${error instanceof Error ? error.message : String(error)}): name one with --kubeconfig or KUBECONFIG`,
  );

const missing = z.object({ code: z.literal('ENOENT') });
const execSchema = z.looseObject({ command: z.string() });

/** As kubectl runs it: a command with a folder in its name is looked for beside the file. */
function besideTheFile(exec: unknown, folder: string): unknown {
  const { data } = execSchema.safeParse(exec);
  if (data === undefined || !/[/\\]/.test(data.command) || isAbsolute(data.command)) return exec;
  return { ...data, command: join(folder, data.command) };
}

/** @returns undefined where there is no such file, or nothing in it */
function read(file: string): KubeConfig | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (missing.safeParse(error).success) return undefined;
    throw error;
  }
  if (content.trim() === '') return undefined;
  const config = new KubeConfig();
  config.loadFromString(content);
  const folder = dirname(file);
  config.makePathsAbsolute(folder);
  config.users = config.users.map((user) => ({ ...user, exec: besideTheFile(user.exec, folder) }));
  return config;
}

const firstOfEach = <T extends { readonly name: string }>(entries: readonly T[]): T[] =>
  entries.filter(({ name }, index) => entries.findIndex((entry) => entry.name === name) === index);

/** What the home folder has, or else what the pod has. */
function readDefault(home: string): KubeConfig {
  const ofHome = read(join(home, '.kube', 'config'));
  if (ofHome !== undefined) return ofHome;
  const config = new KubeConfig();
  config.loadFromDefault();
  return config;
}

/**
 * @param named the file that the command line names, which has to be there
 * @param env with KUBECONFIG; without either it is `~/.kube/config`, or in a pod what the pod has
 * @throws CommandError
 */
export function loadKubeConfig(named: string | undefined, env: Around['env']): KubeConfig {
  const list = env['KUBECONFIG'] ?? '';
  const merged = new KubeConfig();
  try {
    if (named === undefined && list === '') return readDefault(env['HOME'] || homedir());
    const files = named === undefined ? list.split(delimiter).filter((file) => file !== '') : [named];
    const configs = files.flatMap((file) => read(file) ?? []);
    if (configs.length === 0) throw new Error(`${files.join(' and ')}: there is no such file, or nothing in it`);
    merged.loadFromOptions({
      clusters: firstOfEach(configs.flatMap(({ clusters }) => clusters)),
      users: firstOfEach(configs.flatMap(({ users }) => users)),
      contexts: firstOfEach(configs.flatMap(({ contexts }) => contexts)),
      currentContext: configs.find(({ currentContext }) => (currentContext ?? '') !== '')?.currentContext,
    });
    return merged;
  } catch (error) {
    throw unreadable(error);
  }
}
