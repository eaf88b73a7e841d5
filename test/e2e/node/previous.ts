/**
 * The product as it was before the newest change: its chart, its CRD, its images. The newest change is what is not committed
 * yet, or else the newest commit of the main line that touches the product. UPGRADE_FROM names another commit.
 */
import { access, cp, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Process, processesNamed } from '../../../scripts/bundle/processes.ts';
import { HOST_ARCH, writeBase } from '../../../scripts/images/base.ts';
import { buildRequest, CONTEXT, IMAGES, ROOT, STORAGE } from '../../../scripts/images/build-images.ts';
import { cacheFolder } from '../../../scripts/images/cache-folder.ts';
import { findEngine } from '../../../scripts/images/engine.ts';
import { oneAtATime } from '../../../scripts/images/one-at-a-time.ts';
import { runCommand } from '../../../scripts/images/run-command.ts';
import { loadImage } from '../../cluster/index.ts';

const PRODUCT = ['operator', 'services', 'charts', 'crds'];
const OPERANDS = ['mcp', 'api', 'sandbox', 'probe'];
/** What bundling takes besides. */
const TOOLS = ['scripts', 'package.json', 'package-lock.json', 'tsconfig.base.json', 'Dockerfile'];

export interface Previous {
  /** `HEAD` where there is no earlier one. */
  readonly commit: string;
  /** Its tree. */
  readonly folder: string;
  /** Tag of its operator's image, in the test cluster. */
  readonly operatorTag: string;
  /** Tag of the images that both operators run: the previous ones, or today's where they are the same. */
  readonly operandTag: string;
}

const git = async (...args: string[]): Promise<string> => (await runCommand('git', args, { cwd: ROOT })).trim();
const differs = (...args: string[]): Promise<boolean> =>
  git('diff', '--quiet', ...args).then(
    () => false,
    () => true,
  );

/** @returns undefined where the clone holds no commit before the newest change (a shallow one, or no clone at all) */
export async function previousCommit(): Promise<string | undefined> {
  const asked = process.env['UPGRADE_FROM'];
  if (asked !== undefined && asked !== '') return git('rev-parse', '--verify', `${asked}^{commit}`);
  try {
    const head = await git('rev-parse', 'HEAD');
    if (await differs('HEAD', '--', ...PRODUCT)) return head;
    const newest = await git('log', '-1', '--first-parent', '--format=%H', '--', ...PRODUCT);
    return await git('rev-parse', '--verify', '--quiet', `${newest}^1`);
  } catch {
    return undefined;
  }
}

/** What a file held then; undefined where there was none. */
export const previousFile = (commit: string, path: string): Promise<string | undefined> =>
  git('show', `${commit}:${path}`).catch(() => undefined);

/** Lays the previous product out, builds what differs from today's, and loads it into the test cluster. */
export async function preparePrevious(tell: (line: string) => void): Promise<Previous> {
  const commit = await previousCommit();
  if (commit === undefined) {
    tell('No commit before the newest change is in this clone: the operator is upgraded from this tree to itself');
    return { commit: 'HEAD', folder: ROOT, operatorTag: 'dev', operandTag: 'dev' };
  }
  const folder = await checkOut(commit);
  const sameOperands = !(await differs(commit, '--', 'services', 'package-lock.json'));
  const names = ['operator', ...(sameOperands ? [] : OPERANDS)];
  for (const tar of await images(commit, folder, processesNamed(names), tell)) await loadImage(tar);
  return { commit, folder, operatorTag: tagOf(commit), operandTag: sameOperands ? 'dev' : tagOf(commit) };
}

const tagOf = (commit: string): string => `previous-${commit.slice(0, 12)}`;

async function checkOut(commit: string): Promise<string> {
  const folder = join(cacheFolder('previous'), commit);
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  if (there) return folder;
  // one at a time is enough to keep
  await rm(dirname(folder), { recursive: true, force: true });
  const part = `${folder}.part`;
  await mkdir(part, { recursive: true });
  const archive = join(part, 'tree.tar');
  await git('archive', '--output', archive, commit, ...PRODUCT, ...TOOLS);
  await runCommand('tar', ['-xf', archive, '-C', part]);
  await rm(archive);
  await linkPackages(part);
  await rename(part, folder);
  return folder;
}

/** Third parties' packages are those of today, the workspaces those of that tree. */
async function linkPackages(folder: string): Promise<void> {
  const [here, there] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  await mkdir(join(there, '@klingapi'), { recursive: true });
  for (const name of await readdir(here))
    if (name !== '@klingapi' && !name.startsWith('.')) await symlink(join(here, name), join(there, name));
  await symlink('../../operator', join(there, '@klingapi/operator'));
  for (const name of await readdir(join(folder, 'services')))
    await symlink(join('../../services', name), join(there, '@klingapi', name));
}

async function images(
  commit: string,
  folder: string,
  processes: readonly Process[],
  tell: (line: string) => void,
): Promise<string[]> {
  const tarOf = ({ name }: Process) => join(folder, 'dist', `${name}.tar`);
  const missing: Process[] = [];
  for (const process of processes)
    await access(tarOf(process)).catch(() => {
      missing.push(process);
    });
  if (missing.length > 0)
    await oneAtATime(IMAGES, async () => {
      // the shared part of all images: Node and its libraries
      await writeBase(ROOT, HOST_ARCH, join(CONTEXT, 'base', HOST_ARCH));
      const only = missing.flatMap(({ name }) => ['--only', name]);
      await runCommand(process.execPath, [join(folder, 'scripts/build.ts'), ...only], { cwd: folder });
      const engine = await findEngine(STORAGE, tell);
      for (const process of missing) {
        const service = `previous-${process.name}`;
        const app = join(CONTEXT, 'app', HOST_ARCH, service);
        await rm(app, { recursive: true, force: true });
        await cp(join(folder, process.folder, 'dist'), app, { recursive: true });
        const request = buildRequest(process, HOST_ARCH, tagOf(commit));
        const part = `${tarOf(process)}.part`;
        await engine.buildTar({ ...request, buildArgs: { ...request.buildArgs, SERVICE: service } }, part);
        await rename(part, tarOf(process));
        tell(`${request.reference} built`);
      }
      await engine.tidy();
    });
  return processes.map(tarOf);
}
