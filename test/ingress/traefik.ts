/** Traefik as a program and as an image, made from its Go module once for each version and kept with the other programs of the tests. */
import { createHash } from 'node:crypto';
import {
  access,
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeScratchImage } from '../cluster/archive.ts';
import { run } from '../cluster/command.ts';
import { withLock } from '../cluster/lock.ts';
import { steps, toStderr } from '../cluster/progress.ts';
import { cacheDir } from '../cluster/settings.ts';

export const TRAEFIK_IMAGE = 'localhost/kling-test-traefik:dev';

const SOURCE = import.meta.dirname;
const PROGRAM = 'github.com/traefik/traefik/v3/cmd/traefik';
const LEGO = 'github.com/go-acme/lego/v4';
/** Lists every DNS provider that lego has; without it they are not built. */
const PROVIDERS = 'zz_gen_dns_providers.go';
const GO = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** @returns path of a docker-archive, for `loadImage` */
export async function traefikArchive(): Promise<string> {
  const program = await traefik();
  const archive = `${program}.tar`;
  if (!(await isThere(archive)))
    await writeScratchImage(
      {
        reference: TRAEFIK_IMAGE,
        files: { 'bin/traefik': program },
        entrypoint: ['/bin/traefik'],
        user: '65532:65532',
      },
      archive,
    );
  return archive;
}

async function traefik(): Promise<string> {
  const hash = createHash('sha256').update(process.arch);
  for (const file of ['go.mod', 'go.sum', `lego/${PROVIDERS}`]) hash.update(await readFile(join(SOURCE, file)));
  const path = join(cacheDir, `traefik-${hash.digest('hex').slice(0, 16)}`);
  if (await isThere(path)) return path;
  await withLock(async () => {
    if (await isThere(path)) return;
    await steps(toStderr)('Building an ingress controller from Go sources (some five minutes, once)', () =>
      build(path),
    );
  });
  return path;
}

/** Builds with a copy of lego in the place of lego: files in the module cache cannot be replaced one by one. */
async function build(path: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'kling-traefik-'));
  try {
    const lego = join(work, 'lego');
    await cp(await moduleFolder(LEGO), lego, { recursive: true });
    await makeWritable(lego);
    await copyFile(join(SOURCE, 'lego', PROVIDERS), join(lego, 'providers/dns', PROVIDERS));
    const modules = join(work, 'go.mod');
    await writeFile(modules, `${await readFile(join(SOURCE, 'go.mod'), 'utf8')}\nreplace ${LEGO} => ${lego}\n`);
    await copyFile(join(SOURCE, 'go.sum'), join(work, 'go.sum'));
    const unfinished = join(work, 'traefik');
    const how = ['-trimpath', '-buildvcs=false', `-modfile=${modules}`, '-mod=readonly', '-ldflags', '-s -w'];
    await run('go', ['build', ...how, '-o', unfinished, PROGRAM], { cwd: SOURCE, env: GO });
    await mkdir(cacheDir, { recursive: true });
    await copyFile(unfinished, `${path}.${process.pid}`);
    await rename(`${path}.${process.pid}`, path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Where Go keeps a module that `go.mod` names, downloaded where it is not there yet. */
export async function moduleFolder(module: string): Promise<string> {
  await run('go', ['mod', 'download', module], { cwd: SOURCE, env: GO });
  const folder = await run('go', ['list', '-m', '-f', '{{.Dir}}', module], { cwd: SOURCE, env: GO });
  return folder.trim();
}

/** Folders in the module cache are read-only, and so are copies of them. */
async function makeWritable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  await chmod(folder, 0o755);
}
