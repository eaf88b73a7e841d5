/** Images that only tests and the demo use; kept in the cache folder by what they are made from. */
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { processesNamed } from '../../scripts/bundle/processes.ts';
import { HOST_ARCH } from '../../scripts/images/base.ts';
import { CONTEXT, IMAGES, prepareContext, ROOT, SOURCES, STORAGE, seconds } from '../../scripts/images/build-images.ts';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf, sourceFiles } from '../../scripts/images/digest.ts';
import { findEngine } from '../../scripts/images/engine.ts';
import { oneAtATime } from '../../scripts/images/one-at-a-time.ts';
import { findPython, writePython } from './python-root.ts';

const HERE = import.meta.dirname;
const FOLDER = cacheFolder('test-images');

export type TestImageName = 'mcp-faults' | 'python';

export interface TestImage {
  readonly name: TestImageName;
  /** `localhost/kling-test-python:dev` */
  readonly reference: string;
  /** A docker-archive. */
  readonly tar: string;
  readonly bytes: number;
  /** False when it was in the cache. */
  readonly built: boolean;
}

interface Recipe {
  /** Fingerprint of everything that it is made from. */
  readonly digest: () => Promise<string>;
  /** Lays out the context. */
  readonly prepare: (tell: (line: string) => void) => Promise<void>;
}

const RECIPES: Readonly<Record<TestImageName, Recipe>> = {
  'mcp-faults': {
    digest: async () => digestOf(ROOT, await sourceFiles(ROOT, [...SOURCES, 'test/images/mcp-faults'])),
    async prepare(tell) {
      await prepareContext(processesNamed(['mcp']), HOST_ARCH, tell);
      const target = join(CONTEXT, 'app/test-mcp-faults');
      await rm(target, { recursive: true, force: true });
      await cp(join(CONTEXT, 'app', HOST_ARCH, 'mcp'), target, { recursive: true });
      await cp(join(HERE, 'mcp-faults/preload.mjs'), join(target, 'preload.mjs'));
    },
  },
  python: {
    async digest() {
      const { version, executable } = await findPython();
      const own = ['test/images/python-root.ts', 'scripts/images/libraries.ts', 'scripts/images/base.ts'];
      const parts = ['Dockerfile', 'requirements.txt', 'server.py'].map((file) => `test/images/python/${file}`);
      return digestOf(ROOT, [...own, ...parts], [version, executable]);
    },
    async prepare(tell) {
      const started = performance.now();
      const app = join(CONTEXT, 'python/app');
      const requirements = join(HERE, 'python/requirements.txt');
      await writePython(await findPython(), requirements, join(CONTEXT, 'python/root'), join(app, 'packages'));
      await cp(join(HERE, 'python/server.py'), join(app, 'server.py'));
      tell(`Prepared Python and its packages in ${seconds(started)}`);
    },
  },
};

/** Builds what is not in the cache yet. */
export async function buildTestImages({
  only = ['mcp-faults', 'python'],
  tell = () => {},
}: {
  only?: readonly TestImageName[];
  tell?: (line: string) => void;
} = {}): Promise<readonly TestImage[]> {
  const images: TestImage[] = [];
  for (const name of only) images.push(await buildTestImage(name, tell));
  return images;
}

async function buildTestImage(name: TestImageName, tell: (line: string) => void): Promise<TestImage> {
  const recipe = RECIPES[name];
  const tar = join(FOLDER, `${name}-${HOST_ARCH}-${(await recipe.digest()).slice(0, 16)}.tar`);
  const reference = `localhost/kling-test-${name}:dev`;
  const present = async () => (await stat(tar).catch(() => undefined))?.size;
  const bytes = await present();
  if (bytes !== undefined) return { name, reference, tar, bytes, built: false };
  return oneAtATime(IMAGES, async () => {
    // Another process may have made it meanwhile.
    const made = await present();
    if (made !== undefined) return { name, reference, tar, bytes: made, built: false };
    await recipe.prepare(tell);
    const started = performance.now();
    const engine = await findEngine(STORAGE, tell);
    await mkdir(FOLDER, { recursive: true });
    const dockerfile = join(HERE, name, 'Dockerfile');
    await engine.buildTar({ dockerfile, context: CONTEXT, arch: HOST_ARCH, reference, buildArgs: {} }, `${tar}.part`);
    await engine.tidy();
    await removeOlder(name);
    await rename(`${tar}.part`, tar);
    tell(`${reference} built with ${engine.name} in ${seconds(started)}`);
    return { name, reference, tar, bytes: (await stat(tar)).size, built: true };
  });
}

async function removeOlder(name: TestImageName): Promise<void> {
  const older = (await readdir(FOLDER)).filter((file) => file.startsWith(`${name}-`) && file.endsWith('.tar'));
  await Promise.all(older.map((file) => rm(join(FOLDER, file))));
}

if (import.meta.main) {
  for (const { reference, tar, bytes } of await buildTestImages({ tell: (line) => console.log(line) })) {
    console.log(`${reference}  ${tar}  ${(bytes / 1e6).toFixed(0)} MB`);
  }
}
