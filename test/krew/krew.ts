/** krew itself, kubectl's manager of plugins, and what it makes of a manifest. */
import { runCommand } from '../../scripts/images/run-command.ts';
import { goProgram } from '../go-program.ts';

/**
 * Installs the plugin as a person does, with what the manifest says fetched from where it says.
 *
 * @param home where krew keeps everything; programs are in `bin` then
 * @throws CommandError with krew's words
 */
export async function krewInstall(manifest: string, home: string): Promise<void> {
  const krew = await goProgram({ name: 'krew', module: import.meta.dirname, package: 'sigs.k8s.io/krew/cmd/krew' });
  await runCommand(krew, ['install', `--manifest=${manifest}`], { env: { ...process.env, KREW_ROOT: home } });
}
