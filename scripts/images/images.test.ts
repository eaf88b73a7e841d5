import { copyFile, mkdir, mkdtemp, truncate, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { kindArgs, main } from '../images.ts';
import { HOST_ARCH } from './base.ts';
import { digestOf, sourceFiles } from './digest.ts';
import { readElf } from './elf.ts';
import { type BuildRequest, buildahBuildArgs, dockerBuildArgs, isLocal } from './engine.ts';
import { needDebian } from './foreign-runtime.ts';
import { copyLibraries, findLibraries } from './libraries.ts';

const folder = () => mkdtemp(join(tmpdir(), 'images-test-'));
const nodeBinary = join(
  dirname(createRequire(import.meta.url).resolve(`node-linux-${process.arch}/package.json`)),
  'bin/node',
);

describe('the ELF reader', () => {
  it('tells machine, loader and needed libraries of the Node binary', async () => {
    const elf = await readElf(nodeBinary);
    expect(elf?.machine).toBe(HOST_ARCH);
    expect(elf?.interpreter).toMatch(/^\/lib.*\/ld-linux-/);
    expect(elf?.needed).toEqual(expect.arrayContaining(['libc.so.6', 'libm.so.6', 'libstdc++.so.6', 'libgcc_s.so.1']));
  });

  it('takes nothing else for an ELF file', async () => {
    const path = join(await folder(), 'text');
    await writeFile(path, '#!/bin/sh\n'.repeat(20));
    expect(await readElf(path)).toBeUndefined();
    await copyFile(nodeBinary, path);
    await truncate(path, 40);
    expect(await readElf(path)).toBeUndefined();
  });
});

describe('the search for libraries', () => {
  it('finds the libraries of the libraries too, and copies them to where the loader looks', async () => {
    const found = await findLibraries(HOST_ARCH, '/', [nodeBinary]);
    expect(found.missing).toEqual([]);
    const target = await folder();
    await copyLibraries(found, target);
    const again = await findLibraries(HOST_ARCH, target, [nodeBinary]);
    expect(again.missing).toEqual([]);
    expect([...again.files.keys()].sort()).toEqual([...found.files.keys()].sort());
  });

  it('says what is missing and who needs it', async () => {
    const root = await folder();
    await mkdir(join(root, 'lib'));
    const found = await findLibraries(HOST_ARCH, root, [nodeBinary]);
    expect(found.missing).toContain(`libc.so.6 (needed by ${nodeBinary})`);
    await expect(copyLibraries(found, await folder())).rejects.toThrow('not found: ');
  });

  it('refuses a program for another machine', async () => {
    const other = HOST_ARCH === 'amd64' ? 'arm64' : 'amd64';
    await expect(findLibraries(other, '/', [nodeBinary])).rejects.toThrow(`is for machine ${HOST_ARCH}, not ${other}`);
  });
});

describe('what is called', () => {
  const request: BuildRequest = {
    dockerfile: '/r/Dockerfile',
    context: '/r/context',
    arch: 'arm64',
    reference: 'localhost/kling-mcp:dev',
    buildArgs: { SERVICE: 'mcp' },
  };

  it('is the same Dockerfile with buildah and with Docker', () => {
    expect(buildahBuildArgs(request, request.reference).join(' ')).toMatchInlineSnapshot(
      `"bud --isolation chroot --layers --timestamp 0 --platform linux/arm64 --build-arg SERVICE=mcp --build-arg TARGETARCH=arm64 --file /r/Dockerfile --tag localhost/kling-mcp:dev /r/context"`,
    );
    expect(dockerBuildArgs(request, request.reference).join(' ')).toMatchInlineSnapshot(
      `"build --provenance=false --platform linux/arm64 --build-arg SERVICE=mcp --build-arg TARGETARCH=arm64 --file /r/Dockerfile --tag localhost/kling-mcp:dev /r/context"`,
    );
  });

  it('loads an archive into the named kind cluster', () => {
    expect(kindArgs('/a.tar', 'trial').join(' ')).toBe('load image-archive /a.tar --name trial');
  });

  it.each([
    ['localhost:5000/kling-mcp:1', true],
    ['127.0.0.1:5000/team/kling-mcp:1', true],
    ['[::1]:5000/kling-mcp:1', true],
    ['registry.example.com/kling-mcp:1', false],
    ['localhost.example.com/kling-mcp:1', false],
    ['127.0.0.1.example.com/kling-mcp:1', false],
  ])('speaks plain HTTP only to this machine: %s', (target, local) => {
    expect(isLocal(target)).toBe(local);
  });
});

describe('a Linux without apt-get', () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ['arm64', '--arch amd64'],
    ['amd64', '--arch arm64'],
  ] as const)('makes no image for another machine (%s), and says with what flag it makes one', async (arch, flag) => {
    vi.stubEnv('PATH', await folder());
    await expect(needDebian(arch)).rejects.toThrow(`or for this machine alone with ${flag}`);
  });
});

describe('the command line', () => {
  it.each([
    [['push'], 'a registry is needed'],
    [['push', 'https://registry.example.com'], 'without https://'],
    [['push', 'registry.example.com/Team'], 'in small letters'],
    [['build', '--arch', 'riscv64'], 'the architecture is amd64 or arm64'],
    [['build', '--only', 'nothing'], 'there is no process nothing; there are operator, api, mcp, probe, sandbox'],
  ])('%j is refused with the reason', async (args, reason) => {
    await expect(main(args)).rejects.toThrow(reason);
  });
});

it('fingerprints change with content, names and order, and tests do not count as sources', async () => {
  const root = await folder();
  await mkdir(join(root, 'src/node_modules'), { recursive: true });
  for (const [file, text] of [
    ['src/a.ts', 'a'],
    ['src/a.test.ts', 'a'],
    ['src/b.ts', 'a'],
    ['src/node_modules/c.js', 'c'],
  ] as const)
    await writeFile(join(root, file), text);
  expect(await sourceFiles(root, ['src'])).toEqual(['src/a.ts', 'src/b.ts']);
  const first = await digestOf(root, ['src/a.ts']);
  expect(await digestOf(root, ['src/b.ts'])).not.toBe(first);
  expect(await digestOf(root, ['src/a.ts'], ['x'])).not.toBe(first);
  await writeFile(join(root, 'src/a.ts'), 'b');
  expect(await digestOf(root, ['src/a.ts'])).not.toBe(first);
});
