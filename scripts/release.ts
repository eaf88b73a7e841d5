/** `npm run release -- check | files | chart`: what a release is made of, and whether it can be made. */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { archSchema, downloadsSchema, problemsOf, registrySchema } from './images/arguments.ts';
import { checkRelease } from './release/check.ts';
import { checkBranch } from './release/commit.ts';
import { writeReleaseFiles } from './release/files.ts';
import { pushChart } from './release/push-chart.ts';
import { RELEASE } from './release/pushed-images.ts';

const ROOT = join(import.meta.dirname, '..');

const USAGE = `Usage: npm run release -- COMMAND

  check [--tag v1.2.3]   all places name one version, the changelog and docs/upgrading.md tell of it;
                         with a tag: the tag is that version, and the changelog gives its day;
                         --on origin/main: what is checked out is on that branch
  files REGISTRY         fills dist/release: chart, plain manifests, CRD, kubectl-kling, bills of materials,
                         licences, checksums. Images that \`npm run images -- push REGISTRY\` put there before
                         are named by digest. For amd64 and arm64 unless one is named with --arch;
                         --downloads URL is where people will get the files, and makes a manifest for krew
  chart REGISTRY         pushes the chart of dist/release to REGISTRY/charts, and writes down what is to be signed`;

const tell = (line: string): void => console.log(line);

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      tag: { type: 'string' },
      on: { type: 'string' },
      arch: { type: 'string' },
      downloads: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [command, registry] = positionals;
  if (values.help) {
    tell(USAGE);
    return 0;
  }
  if (command === 'check') {
    const { version } = await checkRelease(ROOT, values.tag);
    if (values.on !== undefined) await checkBranch(ROOT, values.on);
    tell(`${version} can be released`);
  } else if (command === 'files') {
    const arches = values.arch === undefined ? (['amd64', 'arm64'] as const) : [archSchema.parse(values.arch)];
    const downloads = values.downloads === undefined ? undefined : downloadsSchema.parse(values.downloads);
    const release = await checkRelease(ROOT);
    const options = {
      root: ROOT,
      folder: RELEASE,
      registry: registrySchema.parse(registry),
      arches,
      release,
      downloads,
    };
    for (const name of await writeReleaseFiles({ ...options, tell })) tell(relative(ROOT, join(RELEASE, name)));
  } else if (command === 'chart') {
    for (const { name, digest } of await pushChart(registrySchema.parse(registry), RELEASE)) tell(`${name}@${digest}`);
  } else {
    console.error(command === undefined ? USAGE : `There is no command ${command}.\n\n${USAGE}`);
    return 2;
  }
  return 0;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error(problemsOf(error));
    process.exitCode = 1;
  }
}
