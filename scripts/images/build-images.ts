/** Makes the image archives of the processes, each only when its inputs have changed. */
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { buildBundles } from '../build.ts';
import { type Process, processesNamed } from '../bundle/processes.ts';
import { sbom } from '../sbom/sbom.ts';
import { HOST_ARCH, writeBase } from './base.ts';
import { digestOf, filesBelow, sourceFiles } from './digest.ts';
import type { Arch } from './elf.ts';
import { type BuildRequest, type Engine, findEngine } from './engine.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { settle } from './settle.ts';

export const ROOT = join(import.meta.dirname, '../..');
export const IMAGES = join(ROOT, 'dist/images');
export const CONTEXT = join(IMAGES, 'context');
export const STORAGE = join(IMAGES, 'storage');
const DOCKERFILE = join(ROOT, 'Dockerfile');

/** Everything that a bundle, the shared part or the way of building is made from. */
export const SOURCES = [
  'operator',
  'services',
  'scripts',
  'package.json',
  'package-lock.json',
  'Dockerfile',
  'LICENSE',
];

export interface ImageOptions {
  /** Names as in `mcp` or `kling-mcp`; all without any. */
  readonly only?: readonly string[];
  readonly arch?: Arch;
  readonly tell?: (line: string) => void;
}

export interface BuiltImage {
  readonly name: string;
  readonly arch: Arch;
  /** `localhost/kling-mcp:dev` */
  readonly reference: string;
  /** A docker-archive. */
  readonly tar: string;
  readonly bytes: number;
  /** False when the archive of the last time was still good. */
  readonly built: boolean;
}

export const imageName = (process: Process): string => `kling-${process.name}`;

/** Fills `dist/images` and gives what is there; twice in a row costs a moment. */
export async function buildImages(options: ImageOptions = {}): Promise<readonly BuiltImage[]> {
  const { arch = HOST_ARCH, tell = () => {} } = options;
  const processes = processesNamed(options.only ?? []);
  const sources = await digestOf(ROOT, await sourceFiles(ROOT, SOURCES));
  const find = () => Promise.all(processes.map((process) => findArchive(process, arch, { sources })));
  const allThere = (found: readonly (BuiltImage | undefined)[]) => found.every((image) => image !== undefined);
  const found = await find();
  if (allThere(found)) return found.filter((image) => image !== undefined);
  return oneAtATime(IMAGES, async () => {
    // Another process may have made them meanwhile.
    const meanwhile = await find();
    if (allThere(meanwhile)) return meanwhile.filter((image) => image !== undefined);
    return makeArchives(processes, arch, sources, tell);
  });
}

async function makeArchives(
  processes: readonly Process[],
  arch: Arch,
  sources: string,
  tell: (line: string) => void,
): Promise<readonly BuiltImage[]> {
  const base = await prepareContext(processes, arch, tell);
  let engine: Engine | undefined;
  const images: BuiltImage[] = [];
  for (const process of processes) {
    const content = await digestOf(CONTEXT, await appFiles(process, arch), [base, await readFile(DOCKERFILE, 'utf8')]);
    const same = await findArchive(process, arch, { content });
    if (same === undefined) {
      engine ??= await findEngine(STORAGE, tell);
      const started = performance.now();
      await engine.buildTar(buildRequest(process, arch, 'dev'), archive(process, arch));
      tell(`${imageName(process)} (${arch}) built with ${engine.name} in ${seconds(started)}`);
    }
    await writeFile(`${archive(process, arch)}.json`, JSON.stringify({ sources, content }));
    images.push({ ...(same ?? (await describe(process, arch))), built: same === undefined });
  }
  await engine?.tidy();
  return images;
}

/** Where the context holds what is one process's own, and the bill of materials of its image. */
export const appFolder = (process: Process, arch: Arch): string => join(CONTEXT, 'app', arch, process.name);
export const SBOM_FILE = 'sbom.cdx.json';

/**
 * Lays out what the Dockerfile copies: the shared part, and for each process its bundle and its bill of materials.
 *
 * @param created what the bill of materials gives as its time
 * @returns fingerprint of the shared part
 */
export async function prepareContext(
  processes: readonly Process[],
  arch: Arch,
  tell: (line: string) => void,
  created?: Date,
): Promise<string> {
  let started = performance.now();
  const bundles = await buildBundles({ only: processes.map((process) => process.name) });
  tell(`Bundled ${bundles.length} processes in ${seconds(started)}`);
  started = performance.now();
  const folder = join(CONTEXT, 'base', arch);
  const contents = await writeBase(ROOT, arch, folder);
  await settle(folder);
  const base = await digestOf(folder, await filesBelow(folder));
  for (const bundle of bundles) {
    const target = appFolder(bundle.process, arch);
    await rm(target, { recursive: true, force: true });
    await mkdir(target, { recursive: true });
    await cp(bundle.folder, target, { recursive: true });
    const { version } = packageJson;
    await writeFile(
      join(target, SBOM_FILE),
      await sbom({ root: ROOT, bundle, base: folder, contents, version, created }),
    );
    await settle(target);
  }
  tell(`Prepared Node and its libraries for ${arch} in ${seconds(started)}`);
  return base;
}

export function buildRequest(process: Process, arch: Arch, version: string, revision = ''): BuildRequest {
  return {
    dockerfile: DOCKERFILE,
    context: CONTEXT,
    arch,
    reference: `localhost/${imageName(process)}:${version}`,
    buildArgs: { SERVICE: process.name, VERSION: version, REVISION: revision, DESCRIPTION: process.description },
  };
}

const archive = (process: Process, arch: Arch): string => join(IMAGES, `${imageName(process)}-${arch}.tar`);

const appFiles = async (process: Process, arch: Arch): Promise<readonly string[]> => {
  const folder = appFolder(process, arch);
  return (await filesBelow(folder)).map((file) => relative(CONTEXT, join(folder, file)));
};

const stateSchema = z.object({ sources: z.string(), content: z.string() }).partial();

/** The archive of the last time, if it was made from the same. */
async function findArchive(
  process: Process,
  arch: Arch,
  wanted: { sources: string } | { content: string },
): Promise<BuiltImage | undefined> {
  try {
    const state = stateSchema.parse(JSON.parse(await readFile(`${archive(process, arch)}.json`, 'utf8')));
    const same = 'sources' in wanted ? state.sources === wanted.sources : state.content === wanted.content;
    return same ? await describe(process, arch) : undefined;
  } catch {
    return undefined;
  }
}

async function describe(process: Process, arch: Arch): Promise<BuiltImage> {
  const tar = archive(process, arch);
  const { size: bytes } = await stat(tar);
  const { reference } = buildRequest(process, arch, 'dev');
  return { name: imageName(process), arch, reference, tar, bytes, built: false };
}

export const seconds = (started: number): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
