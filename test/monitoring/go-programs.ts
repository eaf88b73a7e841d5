/** What is built from Go modules (versions in `go.mod`), once for each version, and kept with the other programs of the tests. */
import { createHash } from 'node:crypto';
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../cluster/command.ts';
import { withLock } from '../cluster/lock.ts';
import { steps, toStderr } from '../cluster/progress.ts';
import { cacheDir } from '../cluster/settings.ts';

const HERE = import.meta.dirname;
const OPERATOR = 'github.com/prometheus-operator/prometheus-operator';
const PACKAGES = {
  operator: `${OPERATOR}/cmd/operator`,
  reloader: `${OPERATOR}/cmd/prometheus-config-reloader`,
  dashboards: './cmd/dashboards',
  prometheus: './cmd/prometheus',
  promtool: './cmd/promtool',
} as const;
/** Those that are built from Prometheus' own module. */
const PROMETHEUS: ReadonlySet<keyof typeof PACKAGES> = new Set(['prometheus', 'promtool']);
/** What of ours goes into a program, beside the modules. */
const OWN: Partial<Record<keyof typeof PACKAGES, string>> = {
  dashboards: 'cmd/dashboards/main.go',
  prometheus: 'discoveries/plugins.go',
  promtool: 'discoveries/plugins.go',
};
const ENV = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @returns the path of the program */
export async function goProgram(name: keyof typeof PACKAGES): Promise<string> {
  const hash = createHash('sha256').update(`${process.arch} ${name}`);
  const own = OWN[name];
  for (const file of ['go.mod', 'go.sum', ...(own === undefined ? [] : [own])])
    hash.update(await readFile(join(HERE, file)));
  const path = join(cacheDir, `monitoring-${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await isThere(path)) return path;
  await withLock(async () => {
    if (await isThere(path)) return;
    await mkdir(cacheDir, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', '-s -w', '-o', unfinished];
    await steps(toStderr)(`Building ${PACKAGES[name]} from Go sources (minutes, once)`, async () => {
      const sources = PROMETHEUS.has(name) ? await prometheusSources() : undefined;
      try {
        await run('go', [...args, PACKAGES[name]], { cwd: sources ?? HERE, env: ENV });
        await rename(unfinished, path);
      } finally {
        await rm(unfinished, { force: true });
        if (sources !== undefined) await rm(sources, { recursive: true });
      }
    });
  });
  return path;
}

/** A copy of Prometheus' module with our list of discoveries: which of them are built in is a file of its sources. */
async function prometheusSources(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kling-prometheus-'));
  await run('cp', ['-r', '--no-preserve=mode', `${await moduleFolder('github.com/prometheus/prometheus')}/.`, folder]);
  await copyFile(join(HERE, 'discoveries/plugins.go'), join(folder, 'plugins/plugins.go'));
  return folder;
}

/** Folder with the CustomResourceDefinitions of the Prometheus operator, as its module has them. */
export const prometheusDefinitions = async (): Promise<string> =>
  join(await moduleFolder(OPERATOR), 'example/prometheus-operator-crd');

async function moduleFolder(module: string): Promise<string> {
  const said = await run('go', ['mod', 'download', '-json', module], { cwd: HERE, env: ENV });
  return z.object({ Dir: z.string() }).parse(JSON.parse(said)).Dir;
}
