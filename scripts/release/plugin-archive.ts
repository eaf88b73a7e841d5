/** `kubectl kling` as people get it: one archive, which tar, npm and krew take, and the manifest that krew reads. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { bundlePlugin, OLDEST_NODE } from '../bundle/plugin.ts';
import { runCommand } from '../images/run-command.ts';
import { settle } from '../images/settle.ts';

/** The only folder in the archive: krew is told of it, and npm takes whatever it is called. */
const INSIDE = 'kubectl-kling';
/** krew wants the manifest to be called as the plugin is. */
export const KREW_MANIFEST = 'kling.yaml';
export const archiveName = (version: string): string => `kubectl-kling-${version}.tar.gz`;

export interface PluginRelease {
  readonly version: string;
  /** The time of every file in the archive; the same sources are the same bytes then. */
  readonly created: Date;
  /** Where the archive will lie, as a folder on the web. Without it krew has nothing to fetch, so there is no manifest. */
  readonly downloads?: string | undefined;
}

/** Writes `kubectl-kling-VERSION.tar.gz` and `kling.yaml`. */
export async function packPlugin(root: string, plugin: PluginRelease, folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'kubectl-kling-'));
  const archive = archiveName(plugin.version);
  try {
    await bundlePlugin(root, join(work, INSIDE));
    await settle(work);
    const seconds = Math.floor(plugin.created.getTime() / 1000);
    await runCommand('tar', [
      ...['--create', '--format=ustar', '--sort=name', `--mtime=@${seconds}`],
      ...['--owner=0', '--group=0', '--numeric-owner'],
      // without the name and the time that gzip writes down by itself
      ...['--use-compress-program', 'gzip -9n', '--file', join(folder, archive), '--directory', work, INSIDE],
    ]);
  } finally {
    await rm(work, { recursive: true });
  }
  if (plugin.downloads === undefined) return;
  const content = await readFile(join(folder, archive));
  await writeFile(
    join(folder, KREW_MANIFEST),
    krewManifest(plugin.version, `${plugin.downloads}/${archive}`, createHash('sha256').update(content).digest('hex')),
  );
}

/** Source: krew's developer guide, "Writing Krew plugin manifests". The `v` before the version is required there. */
function krewManifest(version: string, uri: string, sha256: string): string {
  return stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'kling' },
    spec: {
      version: `v${version}`,
      shortDescription: 'Look after KlingApis',
      description: [
        'Status, a doctor that walks from the ingress to the upstream, reports of',
        'repairs in English and Chinese, logs, verification, repair, pause, and the',
        'configuration of MCP clients. Works with the rights of your kubeconfig.\n',
      ].join('\n'),
      caveats: `Needs Node ${OLDEST_NODE} or newer.\n`,
      platforms: [
        {
          // a script that names its interpreter, which Windows does not read
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
          uri,
          sha256,
          bin: 'kubectl-kling',
          files: [{ from: `${INSIDE}/*`, to: '.' }],
        },
      ],
    },
  });
}
