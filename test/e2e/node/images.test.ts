import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROCESSES } from '../../../scripts/bundle/processes.ts';
import { HOST_ARCH } from '../../../scripts/images/base.ts';
import { type BuiltImage, buildImages } from '../../../scripts/images/build-images.ts';
import { filesBelow } from '../../../scripts/images/digest.ts';
import { type Arch, readElf } from '../../../scripts/images/elf.ts';
import { findLibraries } from '../../../scripts/images/libraries.ts';
import { CommandError, runCommand } from '../../../scripts/images/run-command.ts';
import { main } from '../../../scripts/images.ts';
import { IMAGES_FILE, readImages } from '../../../scripts/release/pushed-images.ts';
import { startRegistry } from './registry.ts';

const OTHER_ARCH: Arch = HOST_ARCH === 'amd64' ? 'arm64' : 'amd64';
const manifestSchema = z.tuple([
  z.object({ Config: z.string(), RepoTags: z.array(z.string()), Layers: z.array(z.string()) }),
]);
const configSchema = z.object({
  architecture: z.string(),
  config: z.object({ User: z.string(), Entrypoint: z.array(z.string()), Labels: z.record(z.string(), z.string()) }),
  rootfs: z.object({ diff_ids: z.array(z.string()) }),
});

const sbomSchema = z.object({
  components: z.array(
    z.object({
      name: z.string(),
      group: z.string().optional(),
      version: z.string().optional(),
      purl: z.string().optional(),
      licenses: z.array(z.unknown()).optional(),
      properties: z.array(z.object({ value: z.string() })).optional(),
    }),
  ),
});

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** An archive as a container runtime would lay it out. */
async function unpack({ tar }: BuiltImage) {
  const folder = await mkdtemp(join(tmpdir(), 'image-'));
  folders.push(folder);
  await runCommand('tar', ['-xf', tar, '-C', folder]);
  const json = async (file: string): Promise<unknown> => JSON.parse(await readFile(join(folder, file), 'utf8'));
  const [{ Config, Layers, RepoTags }] = manifestSchema.parse(await json('manifest.json'));
  const root = join(folder, 'root');
  await runCommand('mkdir', [root]);
  for (const layer of Layers) await runCommand('tar', ['-xf', join(folder, layer), '-C', root]);
  return { root, tags: RepoTags, ...configSchema.parse(await json(Config)), files: await filesBelow(root) };
}
type Unpacked = Awaited<ReturnType<typeof unpack>>;

/** Runs in the image's own root, as its own user. */
const inside = ({ root, config }: Unpacked, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runCommand('/usr/sbin/chroot', [`--userspec=${config.User}`, root, ...args], { env });

/** Every ELF file of the image, with what it needs, found inside the image. */
async function check({ root, files }: Unpacked, arch: Arch) {
  const programs: string[] = [];
  for (const file of files) {
    const elf = await readElf(join(root, file));
    if (elf === undefined) continue;
    expect([file, elf.machine]).toEqual([file, arch]);
    programs.push(join(root, file));
  }
  expect(programs.map((file) => basename(file))).toEqual(
    expect.arrayContaining(['node', 'libc.so.6', 'libstdc++.so.6']),
  );
  expect((await findLibraries(arch, root, programs)).missing).toEqual([]);
}

describe('the images of this machine', () => {
  let images: readonly BuiltImage[] = [];
  const unpacked = new Map<string, Unpacked>();
  beforeAll(async () => {
    images = await buildImages();
    for (const image of images) unpacked.set(image.name, await unpack(image));
  });

  it('are not built again when nothing changed', async () => {
    const started = performance.now();
    expect((await buildImages()).map(({ built }) => built)).toEqual(PROCESSES.map(() => false));
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('share their first layer, which holds all but the bundle', () => {
    expect(new Set([...unpacked.values()].map(({ rootfs }) => rootfs.diff_ids[0])).size).toBe(1);
    expect([...unpacked.values()].map(({ rootfs }) => rootfs.diff_ids.length)).toEqual(PROCESSES.map(() => 2));
  });

  it.each(PROCESSES.map(({ name }) => name))(
    'kling-%s holds its own bundle, no shell, and starts as its user',
    async (name) => {
      const image = unpacked.get(`kling-${name}`)!;
      expect(image.tags).toEqual([`localhost/kling-${name}:dev`]);
      expect(image.architecture).toBe(HOST_ARCH);
      expect(image.config.User).toBe('65532:65532');
      expect(image.config.Labels).toMatchObject({
        'org.opencontainers.image.title': `kling-${name}`,
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.version': 'dev',
        'org.opencontainers.image.description': PROCESSES.find((process) => process.name === name)!.description,
      });
      expect(image.files.filter((file) => /(^|\/)s?bin\//.test(file))).toEqual(['usr/bin/node']);
      const scripts = Object.keys(PROCESSES.find((process) => process.name === name)!.entryPoints);
      // what is shared by entry points, or loaded only when it is asked for, has a hash in its name
      const parts = /^app\/[A-Za-z-]+-[A-Z0-9]{8}\.js$/;
      expect(image.files.filter((file) => file.startsWith('app/') && !parts.test(file))).toEqual(
        [
          'app/LICENSES',
          'app/package.json',
          'app/sbom.cdx.json',
          ...scripts.map((script) => `app/${script}.js`),
        ].sort(),
      );
      await check(image, HOST_ARCH);
      const refusal = await inside(image, image.config.Entrypoint, { MANAGEMENT_PORT: 'wrong' }).catch(
        (error) => error,
      );
      expect(refusal).toBeInstanceOf(CommandError);
      expect(refusal.message).toContain('MANAGEMENT_PORT');
      expect(refusal.exitCode).toBe(78);
    },
  );

  it.each(PROCESSES.map(({ name }) => name))(
    'kling-%s tells by the official schema what is in it, with the notice of each part',
    async (name) => {
      const { root, files } = unpacked.get(`kling-${name}`)!;
      const text = await readFile(join(root, 'app/sbom.cdx.json'), 'utf8');
      expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
      const { components } = sbomSchema.parse(JSON.parse(text));
      const notices = await readFile(join(root, 'app/LICENSES'), 'utf8');
      const packages = components.filter(({ purl }) => purl?.startsWith('pkg:npm/'));
      expect(packages.length).toBeGreaterThan(3);
      for (const { group, name: part, version, licenses } of packages) {
        const full = group === undefined ? part : `${group}/${part}`;
        expect(notices).toContain(`${full} ${version} (`);
        expect(licenses, full).toHaveLength(1);
      }
      // every file that is no text of ours belongs to a part that is told of
      const told = components.flatMap(({ properties = [] }) => properties.map(({ value }) => value.slice(1)));
      const foreign = files.filter((file) => /^(lib|usr\/bin|etc\/ssl)/.test(file));
      expect(foreign.filter((file) => !told.includes(file))).toEqual([]);
      for (const part of components.filter(({ purl }) => purl?.startsWith('pkg:deb/')))
        expect(files).toContain(`usr/share/doc/${part.name}/copyright`);
      expect(files).toEqual(
        expect.arrayContaining(['usr/share/doc/node/LICENSE', 'usr/share/doc/kling-operator/LICENSE']),
      );
    },
  );

  it('find names in files and in DNS, and trust the usual authorities', async () => {
    const image = unpacked.get('kling-mcp')!;
    await writeFile(join(image.root, 'etc/hosts'), '127.0.0.77 studio-api\n');
    const script = `const { address } = await (await import('node:dns/promises')).lookup('studio-api'); console.log(address)`;
    expect((await inside(image, ['/usr/bin/node', '--input-type=module', '-e', script])).trim()).toBe('127.0.0.77');
    const trusted = `console.log(require('node:tls').getCACertificates('system').length)`;
    const count = await inside(image, ['/usr/bin/node', '--use-openssl-ca', '-e', trusted]);
    expect(Number(count)).toBeGreaterThan(50);
  });
});

it('the image for the other architecture consists of its files, and lacks none', async () => {
  const [image] = await buildImages({ only: ['probe'], arch: OTHER_ARCH });
  const unpacked = await unpack(image!);
  expect(unpacked.architecture).toBe(OTHER_ARCH);
  await check(unpacked, OTHER_ARCH);
});

it('a push puts one name for both architectures into a registry', async () => {
  const registry = await startRegistry();
  try {
    const written = await mkdtemp(join(tmpdir(), 'pushed-'));
    folders.push(written);
    const args = ['--only', 'probe', '--tag', '1.2.3', '--digests', join(written, IMAGES_FILE)];
    expect(await main(['push', `${registry.host}/team`, ...args])).toBe(0);
    const [pushed] = (await readImages(written))!;
    expect(pushed).toMatchObject({ image: `${registry.host}/team/kling-probe`, arches: ['amd64', 'arm64'] });
    expect(registry.manifest(`team/kling-probe@${pushed!.digest}`)).toEqual(
      registry.manifest('team/kling-probe:1.2.3'),
    );
    const list = z
      .object({
        manifests: z.array(
          z.object({ digest: z.string(), platform: z.object({ architecture: z.string(), os: z.string() }) }),
        ),
      })
      .parse(registry.manifest('team/kling-probe:1.2.3'));
    expect(list.manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`).sort()).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
    for (const { digest, platform } of list.manifests) {
      const manifest = z
        .object({ config: z.object({ digest: z.string() }), layers: z.array(z.object({ digest: z.string() })) })
        .parse(registry.manifest(`team/kling-probe@${digest}`));
      const config = configSchema.parse(JSON.parse(String(registry.blob(manifest.config.digest))));
      expect(config.architecture).toBe(platform.architecture);
      expect(config.config.Labels['org.opencontainers.image.version']).toBe('1.2.3');
      expect(manifest.layers.every((layer) => registry.blob(layer.digest) !== undefined)).toBe(true);
    }
  } finally {
    await registry.close();
  }
});
