/** Types commands with the kubectl and helm of the test cluster, as somebody who administers it. */
import { delimiter, dirname, join } from 'node:path';
import { kubeconfigPath, tools } from '../cluster/index.ts';
import type { RunResult } from '../e2e/kubectl.ts';
import { ROOT } from './pages.ts';
import { type TypeOptions, typeIn } from './shell.ts';

export interface PlayOptions extends TypeOptions {
  /** Folders of programs before all others. */
  readonly programs?: readonly string[];
}

/** @throws Error with the last command and what it printed */
export async function play(
  commands: readonly string[],
  { programs = [], ...options }: PlayOptions = {},
): Promise<RunResult> {
  const { kubectl, helm } = await tools();
  const path = [
    ...programs,
    dirname(kubectl),
    dirname(helm),
    join(ROOT, 'node_modules/.bin'),
    process.env['PATH'],
  ].join(delimiter);
  return typeIn(commands, { ...options, env: { KUBECONFIG: await kubeconfigPath(), PATH: path, ...options.env } });
}
