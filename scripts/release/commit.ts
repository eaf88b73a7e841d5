import { runCommand } from '../images/run-command.ts';

export interface Commit {
  /** Empty outside a repository. */
  readonly revision: string;
  readonly created: Date | undefined;
}

/** What is checked out: what is made of it carries the time of the commit, never that of the day. */
export async function commit(root: string): Promise<Commit> {
  const told = await runCommand('git', ['log', '-1', '--format=%H %ct'], { cwd: root }).catch(() => '');
  const [revision = '', seconds] = told.trim().split(' ');
  return { revision, created: seconds === undefined ? undefined : new Date(Number(seconds) * 1000) };
}
