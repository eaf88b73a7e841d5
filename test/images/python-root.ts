/** The machine's own Python as a root file system, and pinned packages beside it. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { HOST_ARCH, writeEtc } from '../../scripts/images/base.ts';
import { filesBelow } from '../../scripts/images/digest.ts';
import { copyLibraries, findLibraries } from '../../scripts/images/libraries.ts';
import { answers, runCommand } from '../../scripts/images/run-command.ts';

/** Not whichever comes first on PATH: the one whose parts lie where Debian and Ubuntu put them. */
const PYTHON = '/usr/bin/python3';

/** Parts of the standard library that a server has no use for. */
const LEFT_OUT = new Set([
  '__pycache__',
  'dist-packages',
  'ensurepip',
  'idlelib',
  'lib2to3',
  'test',
  'tkinter',
  'turtledemo',
]);
const LEFT_OUT_MODULES = /^(_curses|_curses_panel|_dbm|_gdbm|_tkinter|nis|ossaudiodev|readline)\./;

const interpreterSchema = z.object({
  version: z.string(),
  minor: z.string(),
  executable: z.string(),
  library: z.string(),
});
export type Interpreter = z.output<typeof interpreterSchema>;

/** @throws Error that names the way out */
export async function findPython(): Promise<Interpreter> {
  if (!(await answers(PYTHON, ['-c', 'import sys; assert sys.version_info >= (3, 11)']))) {
    if (process.getuid?.() !== 0 || !(await answers('apt-get'))) {
      throw new Error(`${PYTHON} must be Python 3.11 or newer: install the package python3`);
    }
    await install('python3');
  }
  const script = [
    'import json, os, platform, sys, sysconfig',
    'print(json.dumps({"version": platform.python_version(), "minor": "%d.%d" % sys.version_info[:2],',
    ' "executable": os.path.realpath(sys.executable), "library": sysconfig.get_path("stdlib")}))',
  ].join('\n');
  return interpreterSchema.parse(JSON.parse(await runCommand(PYTHON, ['-I', '-c', script])));
}

/** Fills `root` with the interpreter and `packages` with what `requirements` pins. */
export async function writePython(
  python: Interpreter,
  requirements: string,
  root: string,
  packages: string,
): Promise<void> {
  await rm(root, { recursive: true, force: true });
  await rm(packages, { recursive: true, force: true });
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await cp(python.executable, join(root, 'usr/bin/python3'));
  await cp(python.library, join(root, python.library), {
    recursive: true,
    dereference: true,
    filter: (source) =>
      !LEFT_OUT.has(basename(source)) && !LEFT_OUT_MODULES.test(basename(source)) && !/\/config-\d/.test(source),
  });
  await installPackages(python, requirements, packages);
  await copyLibraries(await librariesOf(root, packages), root);
  await writeEtc(root);
  // Checked by time stamp, compiled files would be stale in an image, where every stamp is the same.
  const compile = ['-m', 'compileall', '-q', '-j', '0', '--invalidation-mode', 'unchecked-hash'];
  await runCommand(PYTHON, [...compile, '-s', root, '-p', '/', join(root, python.library)]);
  await runCommand(PYTHON, [...compile, '-s', packages, '-p', '/app/packages', packages]);
}

async function librariesOf(root: string, packages: string) {
  const modules = await Promise.all(
    [root, packages].map(async (folder) => (await filesBelow(folder)).map((file) => join(folder, file))),
  );
  const objects = modules.flat().filter((file) => /\.so(\.\d+)*$/.test(file));
  const own = new Set(objects.map((file) => basename(file)));
  return findLibraries(HOST_ARCH, '/', [join(root, 'usr/bin/python3'), ...objects], own);
}

/** Built distributions only, so that no compiler and no build script runs. */
export async function installPackages(python: Interpreter, requirements: string, target: string): Promise<void> {
  const platform = HOST_ARCH === 'amd64' ? 'x86_64' : 'aarch64';
  const pip = (await findPip()) ?? (await installPip());
  await runCommand(pip, [
    ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--no-compile', '--no-deps'],
    ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', python.minor],
    ...['--platform', `manylinux2014_${platform}`, '--platform', `manylinux_2_28_${platform}`],
    ...['--platform', `manylinux_2_34_${platform}`, '--target', target, '--requirement', requirements],
  ]);
}

/** Any pip will do: it is told for which Python it installs. */
async function findPip(): Promise<string | undefined> {
  for (const program of [PYTHON, 'python3']) {
    if (await answers(program, ['-m', 'pip', '--version'])) return program;
  }
  return undefined;
}

async function installPip(): Promise<string> {
  if (process.getuid?.() !== 0 || !(await answers('apt-get')))
    throw new Error('pip is not here: install the package python3-pip');
  await install('python3-pip');
  return PYTHON;
}

async function install(name: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y'];
  await runCommand('apt-get', [...apt, 'update'], { env });
  await runCommand('apt-get', [...apt, 'install', '--no-install-recommends', name], { env });
}
