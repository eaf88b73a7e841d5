/** The workflows: what they use is pinned, what they run exists, and actionlint finds no fault with them. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, matchesGlob, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { runCommand } from '../../scripts/images/run-command.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(ROOT, '.github/workflows');
const LINTER = join(ROOT, 'test/workflows');

const stepSchema = z.looseObject({ uses: z.string().optional(), run: z.string().optional() });
const workflowSchema = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({
      permissions: z.record(z.string(), z.string()),
      container: z.looseObject({ image: z.string() }).optional(),
      needs: z.union([z.string().transform((job) => [job]), z.array(z.string())]).default([]),
      environment: z.string().optional(),
      // of another workflow, instead of steps
      uses: z.string().optional(),
      steps: z.array(stepSchema).default([]),
    }),
  ),
});
type Jobs = z.output<typeof workflowSchema>['jobs'];

/** What has to have passed before this job runs. */
const before = (jobs: Jobs, name: string): readonly string[] =>
  (jobs[name]?.needs ?? []).flatMap((each) => [...before(jobs, each), each]);

/** What is wrong with a workflow, in words. */
function faults(text: string): readonly string[] {
  const workflow = workflowSchema.parse(parse(text));
  const jobs = Object.values(workflow.jobs);
  const found: string[] = [];
  // what lies in this tree is of this commit
  for (const [line, name] of text.matchAll(/^\s*(?:- )?uses: (\S+).*$/gm))
    if (!/uses: ([\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/\w+\.yml)$/.test(line))
      found.push(`${name} is not pinned by the digest of a commit with its version behind it`);
  for (const { container } of jobs)
    if (container !== undefined && !/@sha256:[0-9a-f]{64}$/.test(container.image))
      found.push(`${container.image} is not pinned by its digest`);
  if (Object.keys(workflow.permissions).length > 0) found.push('permissions are given to all jobs');
  const runs = jobs.flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  for (const run of runs) {
    for (const [, script = ''] of run.matchAll(/npm run (?:-s )?([\w:-]+)/g))
      if (!(script in packageJson.scripts)) found.push(`there is no script ${script}`);
    // values of GitHub go through the environment, or whoever names a branch writes a command
    if (run.includes('${' + '{')) found.push(`a command has an expression in it: ${run.trim()}`);
  }
  return found;
}

/** Built once from its Go module. */
async function actionlint(): Promise<string> {
  const path = cacheFolder('workflows', `actionlint-${(await digestOf(LINTER, ['go.mod', 'go.sum'])).slice(0, 16)}`);
  if (await stat(path).catch(() => undefined)) return path;
  await mkdir(cacheFolder('workflows'), { recursive: true });
  const options = ['-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', path];
  await runCommand('go', ['build', ...options, 'github.com/rhysd/actionlint/cmd/actionlint'], { cwd: LINTER });
  return path;
}

describe('the workflows', async () => {
  const files = await readdir(FOLDER);

  it.each(files)('%s: what it uses is pinned, what it runs exists', async (file) => {
    const text = await readFile(join(FOLDER, file), 'utf8');
    expect(faults(text)).toEqual([]);
    // and the test would see it
    expect(faults(text.replace(/@[0-9a-f]{40} # v[\d.]+/, '@v7'))).toHaveLength(1);
    expect(faults(text.replace(/@sha256:[0-9a-f]{64}/, ''))).not.toEqual([]);
    for (const [, path] of text.matchAll(/run: bash (\S+)/g)) await stat(join(ROOT, path!));
  });

  it('are as actionlint wants them', { timeout: 600_000 }, async () => {
    const paths = files.map((file) => join(FOLDER, file));
    await runCommand(await actionlint(), ['-shellcheck=', '-pyflakes=', ...paths], { cwd: ROOT });
  });

  it('only sign where a person who verifies looks for it', async () => {
    const page = await readFile(join(ROOT, 'docs/releasing.md'), 'utf8');
    expect(page).toContain('/.github/workflows/release.yml@refs/tags/v');
    expect(files).toContain('release.yml');
    const { jobs } = workflowSchema.parse(parse(await readFile(join(FOLDER, 'release.yml'), 'utf8')));
    const may = (permission: string) =>
      Object.keys(jobs).filter((job) => jobs[job]?.permissions[permission] === 'write');
    expect([may('id-token'), may('contents')]).toEqual([['sign', 'publish'], ['publish']]);
  });

  it('release nothing that was not proved, is not on main, or that nobody let through', async () => {
    const read = async (file: string) => workflowSchema.parse(parse(await readFile(join(FOLDER, file), 'utf8')));
    const [{ jobs }, ci] = await Promise.all([read('release.yml'), read('ci.yml')]);
    expect(ci.on).toHaveProperty('workflow_call');
    expect(Object.values(ci.jobs).flatMap(({ steps }) => steps.map(({ run }) => run))).toContain('bash .ci/run');
    const named = (test: (job: Jobs[string]) => boolean) => Object.keys(jobs).filter((name) => test(jobs[name]!));
    const runs = (command: RegExp) => named(({ steps }) => steps.some(({ run = '' }) => command.test(run)));
    const proved = named(({ uses }) => uses === './.github/workflows/ci.yml');
    const onMain = runs(/release -- check --tag "\$GITHUB_REF_NAME" --on origin\/main$/m);
    const protectedFor = runs(/environments\/release".*required_reviewers/s);
    expect([proved.length, onMain.length, protectedFor.length]).toEqual([1, 1, 1]);
    // whoever writes anywhere, the name of the release included
    const writers = named(({ permissions }) => Object.values(permissions).includes('write'));
    expect(writers).toEqual(['build', 'sign', 'publish']);
    for (const writer of writers) {
      const gates = before(jobs, writer);
      expect(gates, writer).toEqual(expect.arrayContaining([...proved, ...onMain, ...protectedFor]));
      expect(
        [...gates, writer].some((name) => jobs[name]?.environment === 'release'),
        writer,
      ).toBe(true);
    }
  });
});

describe('Dependabot', async () => {
  const { updates } = z
    .object({
      updates: z.array(
        z.looseObject({
          'package-ecosystem': z.string(),
          directory: z.string().optional(),
          directories: z.array(z.string()).optional(),
        }),
      ),
    })
    .parse(parse(await readFile(join(ROOT, '.github/dependabot.yml'), 'utf8')));
  const tracked = (await runCommand('git', ['ls-files', '-z'], { cwd: ROOT }))
    .split('\0')
    .filter((path) => path !== '');
  const listed = (ecosystem: string) =>
    updates
      .filter((update) => update['package-ecosystem'] === ecosystem)
      .flatMap(({ directory, directories = [] }) => [...(directory === undefined ? [] : [directory]), ...directories]);
  /** Folders that hold such files, and that no entry names. */
  const missed = (ecosystem: string, paths: readonly string[]) =>
    paths
      .map((path) => dirname(`/${path}`))
      .filter((folder) => !listed(ecosystem).some((pattern) => matchesGlob(folder, pattern)));

  it('looks at every folder that pins something', async () => {
    const python = tracked.filter((path) => /\/python\/[^/]+\.txt$/.test(path));
    const modules = tracked.filter((path) => path.endsWith('/go.mod'));
    const dockerfiles = tracked.filter((path) => basename(path) === 'Dockerfile');
    const based = await Promise.all(
      dockerfiles.map(async (path) => /^FROM (?!scratch$)/m.test(await readFile(join(ROOT, path), 'utf8'))),
    );
    expect([python.length, modules.length].every((count) => count > 2)).toBe(true);
    expect(missed('pip', python)).toEqual([]);
    expect(missed('gomod', modules)).toEqual([]);
    const images = dockerfiles.filter((_, index) => based[index]);
    expect(images).toEqual(['.github/container/Dockerfile']);
    expect(missed('docker', images)).toEqual([]);
    expect(missed('docker', ['elsewhere/Dockerfile'])).toEqual(['/elsewhere']);
    for (const ecosystem of ['npm', 'github-actions']) expect(listed(ecosystem), ecosystem).toEqual(['/']);
  });

  it('renews the container of the workflows where it can, and the workflows have to follow', async () => {
    const from = /^FROM (\S+)$/m.exec(await readFile(join(ROOT, '.github/container/Dockerfile'), 'utf8'))?.[1];
    for (const file of await readdir(FOLDER)) {
      const { jobs } = workflowSchema.parse(parse(await readFile(join(FOLDER, file), 'utf8')));
      const images = Object.values(jobs).flatMap(({ container }) => container?.image ?? []);
      expect(images.length, file).toBeGreaterThan(0);
      for (const image of images)
        expect(image, `container.image of ${file} has to be that of .github/container/Dockerfile`).toBe(from);
    }
  });
});
