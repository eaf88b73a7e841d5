/** The workflows: what they use is pinned, what they run exists, and actionlint finds no fault with them. */
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
  permissions: z.record(z.string(), z.string()),
  jobs: z.record(
    z.string(),
    z.looseObject({
      permissions: z.record(z.string(), z.string()),
      container: z.looseObject({ image: z.string() }).optional(),
      steps: z.array(stepSchema),
    }),
  ),
});

/** What is wrong with a workflow, in words. */
function faults(text: string): readonly string[] {
  const workflow = workflowSchema.parse(parse(text));
  const jobs = Object.values(workflow.jobs);
  const found: string[] = [];
  for (const [line, name] of text.matchAll(/^\s*(?:- )?uses: (\S+).*$/gm))
    if (!/uses: [\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))
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
});

it('Dependabot looks at every folder that pins something', async () => {
  const { updates } = z
    .object({
      updates: z.array(z.looseObject({ 'package-ecosystem': z.string(), directories: z.array(z.string()).optional() })),
    })
    .parse(parse(await readFile(join(ROOT, '.github/dependabot.yml'), 'utf8')));
  expect(updates.map((update) => update['package-ecosystem'])).toEqual(['npm', 'gomod', 'pip', 'github-actions']);
  for (const folder of updates.flatMap(({ directories = [] }) => directories))
    await stat(join(ROOT, folder.replace(/\/\*\*$/, '')));
});
