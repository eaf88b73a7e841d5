import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import { preflight } from './preflight.ts';
import type { Step } from './progress.ts';
import { cacheDir } from './settings.ts';

/** The programs made from `kube/`, as paths into the cache. */
export type Binaries = { kube: string; coredns: string; pause: string };

const source = join(import.meta.dirname, 'kube');
const kubernetesVersion = '1.34.4';
const versionFlags = [
  `-X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=34',
].join(' ');

/**
 * Builds what the cache lacks. A binary is named by the hash of all that goes
 * into it, so a change of a version or of a line of Go makes a new one.
 */
export async function binaries(step: Step): Promise<Binaries> {
  const kube = await target('kube', '.');
  const coredns = await target('coredns', 'cmd/coredns');
  const pause = await target('pause', 'cmd/pause');
  const missing: Target[] = [];
  for (const one of [pause, coredns, kube]) if (!(await exists(one.path))) missing.push(one);
  if (missing.length > 0) {
    await preflight(true);
    await mkdir(cacheDir, { recursive: true });
    const slow = missing.includes(kube) ? ' (about five minutes, once)' : '';
    await step(`Building ${missing.map((one) => one.name).join(', ')} from Go sources${slow}`, async () => {
      for (const one of missing) await build(one);
    });
  }
  return { kube: kube.path, coredns: coredns.path, pause: pause.path };
}

type Target = { name: string; folder: string; path: string };

async function target(name: string, folder: string): Promise<Target> {
  const own = (await readdir(join(source, folder)))
    .filter((file) => file.endsWith('.go'))
    .map((file) => join(folder, file));
  const hash = createHash('sha256').update(`${process.arch} ${versionFlags}`);
  for (const file of ['go.mod', 'go.sum', ...own.sort()]) hash.update(await readFile(join(source, file)));
  return { name, folder, path: join(cacheDir, `${name}-${hash.digest('hex').slice(0, 16)}`) };
}

async function build({ folder, path }: Target): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  try {
    const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', `-s -w ${versionFlags}`, '-o'];
    await run('go', [...args, unfinished, `./${folder}`], {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    });
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
