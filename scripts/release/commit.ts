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

/**
 * @param branch as git calls it here, such as origin/main
 * @throws Error unless what is checked out is a commit of the branch
 */
export async function checkBranch(root: string, branch: string): Promise<void> {
  const git = (...args: string[]) => runCommand('git', args, { cwd: root });
  const known = await git('rev-parse', '--verify', '--quiet', `${branch}^{commit}`).catch(() => undefined);
  if (known === undefined) throw new Error(`there is no ${branch} here: fetch it, with its history`);
  const apart = (await git('rev-list', '--count', `${branch}..HEAD`)).trim();
  if (apart !== '0')
    throw new Error(
      `what is checked out is not on ${branch} (commits that are not: ${apart}): merge it, and tag what came of it`,
    );
}
