/** What a release gives away: the same bytes from another folder, complete, and installable from a registry. */
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { PROCESSES } from '../../../scripts/bundle/processes.ts';
import { HOST_ARCH } from '../../../scripts/images/base.ts';
import { buildImages, ROOT } from '../../../scripts/images/build-images.ts';
import { runCommand } from '../../../scripts/images/run-command.ts';
import { checkRelease, NONE_YET } from '../../../scripts/release/check.ts';
import { writeReleaseFiles } from '../../../scripts/release/files.ts';
import { pushChart } from '../../../scripts/release/push-chart.ts';
import { IMAGES_FILE, writeImages } from '../../../scripts/release/pushed-images.ts';
import { tools } from '../../cluster/tools.ts';
import { scriptOf } from '../../docs/script.ts';
import { typeIn } from '../../docs/shell.ts';
import { startRegistry } from './registry.ts';

const REGISTRY = 'registry.example.com/team';
const DOWNLOADS = 'https://example.com/releases/download/v0';
const DIGEST = `sha256:${'a'.repeat(64)}`;
const manifestSchema = z.array(z.object({ Config: z.string(), Layers: z.array(z.string()) }));

const script = await scriptOf('docs/releasing.md');
let folder = '';
let elsewhere = '';
beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'release-')), 'files');
  elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'));
  const pushed = PROCESSES.map(({ name }) => `kling-${name}`).map((name) => ({
    ...{ name, image: `${REGISTRY}/${name}`, digest: DIGEST, arches: [HOST_ARCH] },
  }));
  await writeImages(pushed, join(folder, IMAGES_FILE));
  const release = await checkRelease(ROOT);
  const options = { root: ROOT, folder, registry: REGISTRY, arches: [HOST_ARCH], release, downloads: DOWNLOADS };
  await writeReleaseFiles({ ...options, tell: () => {} });
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
  await rm(elsewhere, { recursive: true, force: true });
});

/** Names of config and layers, which are their digests. */
async function contentOf(tar: string) {
  return manifestSchema.parse(JSON.parse(await runCommand('tar', ['-xOf', tar, 'manifest.json'])));
}

/** The tree as it is here, in another place, with other times and rights. */
async function copyTree(name: string): Promise<string> {
  const tree = join(elsewhere, name);
  const script = [
    'umask 077; mkdir "$1"; cd "$0"',
    // a file that was removed and not yet committed is still listed
    'git ls-files -z --cached --others --exclude-standard | (xargs -0 ls -d 2>/dev/null || true) | tar -cT - | tar -xC "$1"',
    'find "$1" -type f -exec touch -d 2001-02-03 {} + -exec chmod go= {} +',
    'find . -name node_modules -prune -not -path "./dist/*" -printf "%P\\n" | while read -r d; do cp -al "$d" "$1/$d" 2>/dev/null || cp -a "$d" "$1/$d"; done',
    'touch "$1/node_modules/.package-lock.json"; cp -a .git "$1/.git"',
  ].join('\n');
  await runCommand('bash', ['-euo', 'pipefail', '-c', script, ROOT, tree]);
  return tree;
}

it('is the same, byte for byte, from another folder, at another time, with another umask', async () => {
  const tree = await copyTree('another place');
  await writeImages([], join(tree, 'dist/release', IMAGES_FILE));
  await copyFile(join(folder, IMAGES_FILE), join(tree, 'dist/release', IMAGES_FILE));
  const [check, , files] = script.commands('Make one');
  const here = `${REGISTRY} --arch ${HOST_ARCH} --downloads ${DOWNLOADS}`;
  const adapt = (command: string) => command.replace('ghcr.io/OWNER', here);
  await typeIn(['umask 077', `${check}`, `${files}`], { adapt, cwd: tree });
  const names = (await readdir(folder)).sort();
  expect((await readdir(join(tree, 'dist/release'))).sort()).toEqual(names);
  for (const name of names)
    expect((await readFile(join(tree, 'dist/release', name))).equals(await readFile(join(folder, name))), name).toBe(
      true,
    );

  const images = await buildImages();
  await runCommand('bash', [
    '-ec',
    'umask 077; cd "$0"; exec "$@"',
    tree,
    process.execPath,
    'scripts/images.ts',
    'build',
  ]);
  for (const { name, tar } of images)
    expect(await contentOf(join(tree, `dist/images/${name}-${HOST_ARCH}.tar`)), name).toEqual(await contentOf(tar));
});

it('gets a tag when the changelog gives the day, and the page about releases does not say that there is none', async () => {
  const tree = await copyTree('a tagged place');
  const { version } = await checkRelease(ROOT);
  const changelog = await readFile(join(tree, 'CHANGELOG.md'), 'utf8');
  const page = await readFile(join(tree, 'docs/releasing.md'), 'utf8');
  const command = script.command('npm run release -- check --tag').replace('VERSION', version);
  const check = async (day: string, remark: string) => {
    const heading = `## [${version}] - `;
    const dated = changelog.split('\n').map((line) => (line.startsWith(heading) ? `${heading}${day}` : line));
    await writeFile(join(tree, 'CHANGELOG.md'), dated.join('\n'));
    await writeFile(join(tree, 'docs/releasing.md'), `${page.replaceAll(NONE_YET, '')}\n${remark}\n`);
    return typeIn([command], { cwd: tree });
  };
  await expect(check('unreleased', '')).rejects.toThrow(`CHANGELOG.md calls ${version} unreleased: give the day`);
  await expect(check('2026-12-01', NONE_YET)).rejects.toThrow(`docs/releasing.md says "${NONE_YET}"`);
  expect((await check('2026-12-01', '')).stdout).toContain(`${version} can be released`);
});

describe('the files of a release', () => {
  it('are told by their checksums', async () => {
    const check = () => typeIn([script.command('sha256sum')], { cwd: folder });
    expect((await check()).stdout.trim().split('\n').length).toBe((await readdir(folder)).length - 1);
    await writeFile(join(folder, 'NOTES.md'), 'other notes\n', { flag: 'a' });
    await expect(check()).rejects.toThrow('1 computed checksum did NOT match');
  });

  it('install the operator by digest, with and without Helm', async () => {
    const text = await readFile(join(folder, 'kling-operator.yaml'), 'utf8');
    const kinds = parseAllDocuments(text).map(
      (document) => z.looseObject({ kind: z.string() }).parse(document.toJS()).kind,
    );
    expect(kinds.slice(0, 1)).toEqual(['Namespace']);
    expect(kinds).toEqual(
      expect.arrayContaining(['CustomResourceDefinition', 'ClusterRole', 'Deployment', 'ServiceAccount']),
    );
    expect(text).not.toMatch(/helm/i);
    const images = [...text.matchAll(/registry\.example\.com\/team\/kling-\S+/g)].map(([image]) =>
      image.replace('"', ''),
    );
    expect(images.length).toBe(5);
    for (const image of images) expect(image).toMatch(new RegExp(`^${REGISTRY}/kling-[a-z]+@${DIGEST}$`));
  });

  it('have kubectl kling, and a manifest for krew with its address and its checksum', async () => {
    const { version } = await checkRelease(ROOT);
    const archive = `kubectl-kling-${version}.tar.gz`;
    const sums = await readFile(join(folder, 'SHA256SUMS'), 'utf8');
    const sum = new RegExp(`^([0-9a-f]{64}) {2}${archive}$`, 'm').exec(sums)?.[1];
    const text = await readFile(join(folder, 'kling.yaml'), 'utf8');
    expect(text).toContain(`version: v${version}\n`);
    expect(text).toContain(`uri: ${DOWNLOADS}/${archive}\n`);
    expect(text).toContain(`sha256: ${sum}\n`);
  });

  it('lie in a registry as a chart that needs no value', async () => {
    const registry = await startRegistry();
    try {
      const target = `${registry.host}/team`;
      const subjects = await pushChart(target, folder);
      expect(subjects.map(({ name }) => name)).toEqual([
        ...PROCESSES.map(({ name }) => `${REGISTRY}/kling-${name}`),
        `${target}/charts/kling-operator`,
      ]);
      for (const { sboms } of subjects) for (const file of sboms) await stat(join(folder, file));
      const chart = subjects.at(-1)!;
      expect(registry.manifest(`team/charts/kling-operator@${chart.digest}`)).toBeDefined();
      const { helm } = await tools();
      const rendered = await runCommand(helm, [
        ...['template', 'x', `oci://${chart.name}@${chart.digest}`, '--plain-http'],
      ]);
      expect(rendered).toContain(`${REGISTRY}/kling-operator@${DIGEST}`);
    } finally {
      await registry.close();
    }
  });
});
