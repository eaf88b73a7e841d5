/** `npm run build [-- --only NAME]`: bundles each process into the `dist/` of its workspace, and kubectl-kling into `dist/kubectl-kling`. */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bundle, bundle } from './bundle/bundle.ts';
import { bundlePlugin } from './bundle/plugin.ts';
import { processesNamed } from './bundle/processes.ts';

const ROOT = join(import.meta.dirname, '..');
/** No process of the product, so no image comes of it. */
const PLUGIN = 'plugin';

/**
 * Bundles the processes with these names, all of them without any.
 *
 * @throws AggregateError of what kept each from being bundled
 */
export async function buildBundles({ only = [] }: { only?: readonly string[] } = {}): Promise<readonly Bundle[]> {
  const outcomes = await Promise.allSettled(processesNamed(only).map((process) => bundle(process, ROOT)));
  const failures: unknown[] = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
  const started = performance.now();
  try {
    const tell = (name: string, path: string, bytes: number): void =>
      console.log(`${name.padEnd(9)}${path.padEnd(32)}${(bytes / 1e6).toFixed(1).padStart(6)} MB`);
    const only = values.only ?? [];
    const processes = only.filter((name) => name !== PLUGIN);
    if (only.length === 0 || processes.length > 0)
      for (const { process, folder, bytes } of await buildBundles({ only: processes }))
        tell(process.name, relative(ROOT, join(folder, 'main.js')), bytes);
    if (only.length === 0 || only.includes(PLUGIN))
      tell(PLUGIN, 'dist/kubectl-kling/kubectl-kling', await bundlePlugin(ROOT));
    console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
