import { mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { runCommand } from '../images/run-command.ts';
import { settle } from '../images/settle.ts';
import { main } from '../release.ts';
import { sections } from './changelog.ts';
import { checkRelease, NONE_YET } from './check.ts';
import { checkBranch } from './commit.ts';
import { disagreements, namedVersions } from './versions.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the check before a release', () => {
  it('passes for this tree', async () => {
    const { version, section } = await checkRelease(ROOT);
    expect(version).toBe(packageJson.version);
    expect(section.text).toContain('### ');
  });

  it('asks every place that names a version', async () => {
    const versions = await namedVersions(ROOT);
    expect(versions.map(({ where }) => where)).toEqual(
      expect.arrayContaining([
        ...['package-lock.json', 'operator/package.json', 'services/mcp/package.json', 'services/mcp/src/version.ts'],
        ...['charts/kling-operator/Chart.yaml (version)', 'charts/kling-operator/Chart.yaml (appVersion)'],
      ]),
    );
    expect(disagreements(versions)).toEqual([]);
    const [first, ...others] = versions;
    expect(disagreements([{ where: first!.where, version: '9.9.9' }, ...others])).toHaveLength(others.length);
    expect(
      disagreements([
        { where: 'a', version: '1.0.0' },
        { where: 'b', version: '' },
      ]),
    ).toEqual(['b says nothing, a says 1.0.0']);
  });

  it('refuses a tag of another version, and one without a day in the changelog', async () => {
    await expect(main(['check', '--tag', 'v9.9.9'])).rejects.toThrow(
      `the tag is v9.9.9 and the version ${packageJson.version}: tag it v${packageJson.version}`,
    );
  });
});

it('only a commit of the main branch is released', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'branch-'));
  const git = (...args: string[]) =>
    runCommand('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd: folder });
  await git('init', '--quiet', '--initial-branch=main');
  await git('commit', '--quiet', '--allow-empty', '--message=one');
  await git('commit', '--quiet', '--allow-empty', '--message=two');
  await git('checkout', '--quiet', '--detach', 'main~1');
  await expect(checkBranch(folder, 'main')).resolves.toBeUndefined();
  await git('commit', '--quiet', '--allow-empty', '--message=elsewhere');
  await expect(checkBranch(folder, 'main')).rejects.toThrow('is not on main (commits that are not: 1)');
  await expect(checkBranch(folder, 'origin/main')).rejects.toThrow('there is no origin/main here');
});

it('a release does not say that there is none', async () => {
  const page = await readFile(join(ROOT, 'docs/releasing.md'), 'utf8');
  const told = await checkRelease(ROOT, `v${packageJson.version}`).then(() => '', String);
  expect(told.includes(`docs/releasing.md says "${NONE_YET}"`)).toBe(page.includes(NONE_YET));
});

describe('the changelog', () => {
  it('is read by section', () => {
    expect(
      sections('# Changelog\n\n## [1.1.0] - unreleased\n\n### Added\n\n- b\n\n## [1.0.0] - 2026-12-01\n\n- a\n'),
    ).toEqual([
      { version: '1.1.0', date: undefined, text: '### Added\n\n- b' },
      { version: '1.0.0', date: '2026-12-01', text: '- a' },
    ]);
  });

  it.each([
    ['## 1.0.0', 'line 1: "## 1.0.0" is not like'],
    ['\n## [1.0.0] - soon', 'line 2: soon is neither a day'],
    ['## [1.0.0] - 2026-12-01\n### News', 'line 2: there is no group News'],
  ])('%j is refused with the line', (text, problem) => {
    expect(() => sections(text)).toThrow(problem);
  });
});

describe('the command line', () => {
  it.each([
    [['files'], 'a registry is needed'],
    [['chart', 'https://registry.example.com'], 'without https://'],
    [['files', 'registry.example.com', '--arch', 'riscv64'], 'the architecture is'],
    [['files', 'registry.example.com', '--downloads', 'example.com/v1'], '--downloads must look like https://'],
    [['files', 'registry.example.com', '--downloads', 'http://example.com/v1'], '--downloads must look like https://'],
  ])('%j is refused with the reason', async (args, reason) => {
    await expect(main(args)).rejects.toThrow(reason);
  });
});

it('what goes into an image has the same rights and times whatever the umask was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'settle-'));
  await mkdir(join(folder, 'app/tmp'), { recursive: true, mode: 0o700 });
  await mkdir(join(folder, 'tmp'), { mode: 0o700 });
  await writeFile(join(folder, 'app/main.js'), 'text', { mode: 0o600 });
  await writeFile(join(folder, 'app/node'), 'program', { mode: 0o700 });
  await settle(folder);
  const seen = async (path: string) => {
    const { mode, mtimeMs } = await stat(join(folder, path));
    return `${(mode & 0o7777).toString(8)} ${mtimeMs}`;
  };
  expect(await seen('.')).toBe('755 0');
  expect(await seen('app')).toBe('755 0');
  expect(await seen('app/tmp')).toBe('755 0');
  expect(await seen('tmp')).toBe('1777 0');
  expect(await seen('app/main.js')).toBe('644 0');
  expect(await seen('app/node')).toBe('755 0');
  expect(await readFile(join(folder, 'app/main.js'), 'utf8')).toBe('text');
});
