/** The files of a release of this tree, with its chart in a registry on loopback. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST_ARCH } from '../../../scripts/images/base.ts';
import { ROOT } from '../../../scripts/images/build-images.ts';
import { checkRelease } from '../../../scripts/release/check.ts';
import { writeReleaseFiles } from '../../../scripts/release/files.ts';
import { helm } from '../kubectl.ts';
import { startRegistry } from './registry.ts';

export interface Published {
  readonly version: string;
  /** With `crds.yaml` and the other files. */
  readonly folder: string;
  /** What stands in for `ghcr.io/OWNER`; it speaks plain HTTP. */
  readonly registry: string;
  close(): Promise<void>;
}

export async function publish(): Promise<Published> {
  const folder = join(await mkdtemp(join(tmpdir(), 'published-')), 'files');
  const server = await startRegistry();
  const registry = `${server.host}/owner`;
  const release = await checkRelease(ROOT);
  await writeReleaseFiles({ root: ROOT, folder, registry, arches: [HOST_ARCH], release, tell: () => {} });
  const chart = join(folder, `kling-operator-${release.version}.tgz`);
  await helm(['push', chart, `oci://${registry}/charts`, '--plain-http']);
  return {
    ...{ version: release.version, folder, registry },
    async close() {
      await server.close();
      await rm(join(folder, '..'), { recursive: true, force: true });
    },
  };
}
