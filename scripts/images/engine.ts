/** The two programs that can build images from the Dockerfile: buildah, which needs no daemon, and Docker. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Arch } from './elf.ts';
import { answers, runCommand } from './run-command.ts';

export interface BuildRequest {
  readonly dockerfile: string;
  readonly context: string;
  readonly arch: Arch;
  /** Name and tag. */
  readonly reference: string;
  readonly buildArgs: Readonly<Record<string, string>>;
}

export interface Engine {
  readonly name: 'buildah' | 'docker';
  /** Builds and writes a docker-archive. */
  buildTar(request: BuildRequest, tar: string): Promise<void>;
  /**
   * Puts one image for several architectures under one name into a registry.
   *
   * @returns the digest that the name stands for there, as in `sha256:…`
   */
  push(requests: readonly BuildRequest[], target: string): Promise<string>;
  /** Throws away what earlier builds left and no image needs any more. */
  tidy(): Promise<void>;
}

const buildArgs = (request: BuildRequest): readonly string[] =>
  Object.entries({ ...request.buildArgs, TARGETARCH: request.arch }).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);

/** Registries on this machine are spoken to over plain HTTP, as Docker does. */
export const isLocal = (target: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?\//.test(target);

/** @param storage folder of its own for layers, so that nothing mixes with the machine's images */
export function buildah(storage: string): Engine {
  const globals = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
  const run = (...args: readonly string[]) => runCommand('buildah', [...globals, ...args]);
  return {
    name: 'buildah',
    async buildTar(request, tar) {
      await run(...buildahBuildArgs(request, request.reference));
      await mkdir(dirname(tar), { recursive: true });
      // buildah adds to an archive that exists.
      await rm(tar, { force: true });
      await run('push', '--quiet', request.reference, `docker-archive:${tar}:${request.reference}`);
    },
    async push(requests, target) {
      const list = `localhost/push-${target.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase()}`;
      await run('manifest', 'rm', list).catch(() => undefined);
      await run('manifest', 'create', list);
      for (const request of requests) {
        const reference = `${request.reference}-${request.arch}`;
        // Its cache knows a label by the name of its variable, not by the value: an older version would come back.
        const [command = '', ...args] = buildahBuildArgs(request, reference);
        await run(command, '--no-cache', ...args);
        await run('manifest', 'add', '--arch', request.arch, '--os', 'linux', list, reference);
      }
      const digestFile = join(storage, 'digest');
      const options = ['--all', '--digestfile', digestFile];
      const insecure = isLocal(target) ? ['--tls-verify=false'] : [];
      await run('manifest', 'push', ...options, ...insecure, list, `docker://${target}`);
      const digest = (await readFile(digestFile, 'utf8')).trim();
      await run('manifest', 'rm', list);
      await run('rmi', ...requests.map((request) => `${request.reference}-${request.arch}`));
      return digest;
    },
    async tidy() {
      await run('rmi', '--prune', '--force');
    },
  };
}

/** `--timestamp 0` makes the same input the same image. */
export function buildahBuildArgs(request: BuildRequest, reference: string): readonly string[] {
  return [
    ...['bud', '--isolation', 'chroot', '--layers', '--timestamp', '0', '--platform', `linux/${request.arch}`],
    ...buildArgs(request),
    ...['--file', request.dockerfile, '--tag', reference, request.context],
  ];
}

export function docker(): Engine {
  const env = { ...process.env, SOURCE_DATE_EPOCH: '0', DOCKER_BUILDKIT: '1' };
  return {
    name: 'docker',
    async buildTar(request, tar) {
      await mkdir(dirname(tar), { recursive: true });
      await runCommand('docker', dockerBuildArgs(request, request.reference), { env });
      await runCommand('docker', ['save', '--output', tar, request.reference]);
    },
    async push(requests, target) {
      const parts: string[] = [];
      for (const request of requests) {
        const part = `${target}-${request.arch}`;
        await runCommand('docker', dockerBuildArgs(request, part), { env });
        await runCommand('docker', ['push', part]);
        parts.push(part);
      }
      await runCommand('docker', [
        'manifest',
        'create',
        '--amend',
        ...(isLocal(target) ? ['--insecure'] : []),
        target,
        ...parts,
      ]);
      const insecure = isLocal(target) ? ['--insecure'] : [];
      return (await runCommand('docker', ['manifest', 'push', '--purge', ...insecure, target])).trim();
    },
    // Docker has its own garbage collection, and its images are not only ours.
    async tidy() {},
  };
}

/** Without attestations, which would make every image a list of two. */
export function dockerBuildArgs(request: BuildRequest, reference: string): readonly string[] {
  return [
    ...['build', '--provenance=false', '--platform', `linux/${request.arch}`],
    ...buildArgs(request),
    ...['--file', request.dockerfile, '--tag', reference, request.context],
  ];
}

/**
 * buildah when it is there, else Docker when its daemon answers, else buildah
 * from Debian's package where that may be installed.
 *
 * @throws Error that names the way out
 */
export async function findEngine(storage: string, tell: (line: string) => void): Promise<Engine> {
  if (await answers('buildah')) return buildah(storage);
  if (await answers('docker', ['info'])) return docker();
  if (process.getuid?.() === 0 && (await answers('apt-get'))) {
    tell('Installing buildah (apt-get)');
    const apt = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y'];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await runCommand('apt-get', [...apt, 'update'], { env });
    await runCommand('apt-get', [...apt, 'install', '--no-install-recommends', 'buildah'], { env });
    return buildah(storage);
  }
  throw new Error(
    'images are built with buildah or Docker and neither is here: install the package buildah, or start Docker',
  );
}
