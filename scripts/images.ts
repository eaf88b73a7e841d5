/** `npm run images -- build | push REGISTRY | kind`: the images of the processes. */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import packageJson from '../package.json' with { type: 'json' };
import { processesNamed } from './bundle/processes.ts';
import { archSchema, problemsOf, registrySchema } from './images/arguments.ts';
import { HOST_ARCH } from './images/base.ts';
import {
  buildImages,
  buildRequest,
  IMAGES,
  imageName,
  prepareContext,
  ROOT,
  STORAGE,
  seconds,
} from './images/build-images.ts';
import { findEngine } from './images/engine.ts';
import { oneAtATime } from './images/one-at-a-time.ts';
import { answers, runCommand } from './images/run-command.ts';
import { commit } from './release/commit.ts';
import { type PushedImage, writeImages } from './release/pushed-images.ts';

const USAGE = `Usage: npm run images -- COMMAND [--only NAME]...

  build [--arch amd64|arm64]   writes dist/images/NAME-ARCH.tar, tagged localhost/NAME:dev
  push REGISTRY [--arch ARCH]  puts REGISTRY/NAME:${packageJson.version} there, for amd64 and arm64 unless one is named
                               (--tag TAG for another tag; log in first with \`buildah login\` or \`docker login\`);
                               --digests FILE writes down what was pushed, for \`npm run release\`
  kind [--cluster NAME]        builds and loads them into a kind cluster

NAME is operator, api, mcp, probe or sandbox; all of them without --only.`;

const tell = (line: string): void => console.log(line);

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      arch: { type: 'string' },
      tag: { type: 'string', default: packageJson.version },
      digests: { type: 'string' },
      cluster: { type: 'string', default: 'kind' },
      help: { type: 'boolean', default: false },
    },
  });
  const arch = values.arch === undefined ? undefined : archSchema.parse(values.arch);
  const [command, registry] = positionals;
  if (values.help) {
    tell(USAGE);
    return 0;
  }
  if (command === 'build') await build(values.only, arch ?? HOST_ARCH);
  else if (command === 'push') {
    const target = registrySchema.parse(registry);
    const pushed = await oneAtATime(IMAGES, () => push(values.only, arch, target, values.tag));
    if (values.digests !== undefined) await writeImages(pushed, values.digests);
  } else if (command === 'kind') await loadIntoKind(values.only, values.cluster);
  else {
    console.error(command === undefined ? USAGE : `There is no command ${command}.\n\n${USAGE}`);
    return 2;
  }
  return 0;
}

async function build(only: readonly string[], arch: 'amd64' | 'arm64') {
  const started = performance.now();
  const images = await buildImages({ only, arch, tell });
  for (const { reference, tar, bytes, built } of images) {
    const size = `${(bytes / 1e6).toFixed(0)} MB`;
    tell(`${reference.padEnd(32)}${relative(ROOT, tar).padEnd(42)}${size.padStart(7)}${built ? '' : '  unchanged'}`);
  }
  tell(`${images.length} images for ${arch} in ${seconds(started)}`);
  return images;
}

async function push(only: readonly string[], arch: 'amd64' | 'arm64' | undefined, registry: string, tag: string) {
  const processes = processesNamed(only);
  const arches = arch === undefined ? (['amd64', 'arm64'] as const) : [arch];
  const engine = await findEngine(STORAGE, tell);
  const { revision, created } = await commit(ROOT);
  for (const each of arches) await prepareContext(processes, each, tell, created);
  const pushed: PushedImage[] = [];
  for (const process of processes) {
    const started = performance.now();
    const target = `${registry}/${imageName(process)}:${tag}`;
    const digest = await engine.push(
      arches.map((each) => buildRequest(process, each, tag, revision)),
      target,
    );
    pushed.push({ name: imageName(process), image: `${registry}/${imageName(process)}`, digest, arches });
    tell(`Pushed ${target} (${arches.join(', ')}) in ${seconds(started)}: ${digest}`);
  }
  await engine.tidy();
  tell(`Install with: helm install kling-operator charts/kling-operator --set image.registry=${registry}`);
  return pushed;
}

async function loadIntoKind(only: readonly string[], cluster: string): Promise<void> {
  if (!(await answers('kind', ['version']))) {
    throw new Error(
      'the program kind is not on PATH: install it from kind.sigs.k8s.io, or use `npm run cluster -- load`',
    );
  }
  for (const { tar, reference } of await build(only, HOST_ARCH)) {
    const started = performance.now();
    await runCommand('kind', kindArgs(tar, cluster));
    tell(`Loaded ${reference} into ${cluster} in ${seconds(started)}`);
  }
}

export const kindArgs = (tar: string, cluster: string): readonly string[] => [
  'load',
  'image-archive',
  tar,
  '--name',
  cluster,
];

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(problemsOf(error));
    process.exitCode = 1;
  }
}
