/** krew itself, kubectl's manager of plugins, and what it makes of a manifest. */
import { mkdir, stat } from 'node:fs/promises';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { runCommand } from '../../scripts/images/run-command.ts';

const HERE = import.meta.dirname;
const PROGRAM = 'sigs.k8s.io/krew/cmd/krew';

/** Built once from its Go module. */
async function krew(): Promise<string> {
  const path = cacheFolder('krew', `krew-${(await digestOf(HERE, ['go.mod', 'go.sum'])).slice(0, 16)}`);
  if (await stat(path).catch(() => undefined)) return path;
  await mkdir(cacheFolder('krew'), { recursive: true });
  await runCommand('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', path, PROGRAM], {
    cwd: HERE,
  });
  return path;
}

/**
 * Installs the plugin as a person does, with what the manifest says fetched from where it says.
 *
 * @param home where krew keeps everything; programs are in `bin` then
 * @throws CommandError with krew's words
 */
export async function krewInstall(manifest: string, home: string): Promise<void> {
  await runCommand(await krew(), ['install', `--manifest=${manifest}`], { env: { ...process.env, KREW_ROOT: home } });
}
