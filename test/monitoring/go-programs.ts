/** What is built from Go modules (versions in `go.mod`), once for each version, and kept with the other programs of the tests. */
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
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
} as const;
const ENV = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @returns the path of the program */
export async function goProgram(name: keyof typeof PACKAGES): Promise<string> {
  const hash = createHash('sha256').update(`${process.arch} ${name}`);
  const own = name === 'dashboards' ? ['cmd/dashboards/main.go'] : [];
  for (const file of ['go.mod', 'go.sum', ...own]) hash.update(await readFile(join(HERE, file)));
  const path = join(cacheDir, `monitoring-${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await isThere(path)) return path;
  await withLock(async () => {
    if (await isThere(path)) return;
    await mkdir(cacheDir, { recursive: true });
    const unfinished = `${path}.${process.pid}`;
    const args = ['build', '-trimpath', '-buildvcs=false', '-mod=readonly', '-ldflags', '-s -w', '-o', unfinished];
    await steps(toStderr)(`Building ${PACKAGES[name]} from Go sources (minutes, once)`, async () => {
      try {
        await run('go', [...args, PACKAGES[name]], { cwd: HERE, env: ENV });
        await rename(unfinished, path);
      } finally {
        await rm(unfinished, { force: true });
      }
    });
  });
  return path;
}

/** Folder with the CustomResourceDefinitions of the Prometheus operator, as its module has them. */
export async function prometheusDefinitions(): Promise<string> {
  const said = await run('go', ['mod', 'download', '-json', OPERATOR], { cwd: HERE, env: ENV });
  const { Dir } = z.object({ Dir: z.string() }).parse(JSON.parse(said));
  return join(Dir, 'example/prometheus-operator-crd');
}
