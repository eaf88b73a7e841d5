/** docs/monitoring.md for a Prometheus without its operator: the files and commands of that page, in a folder of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { tools } from '../cluster/tools.ts';
import { type Page, ROOT } from '../docs/pages.ts';
import { typeIn } from '../docs/shell.ts';
import { waitFor } from '../e2e/wait.ts';
import { freePort } from '../postgres/free-port.ts';
import { goProgram } from './go-programs.ts';
import { type Prometheus, prometheusAt } from './stack.ts';

/** The block that names this file in its first line. @throws Error where the page has none */
export function fileOf(page: Page, name: string): string {
  const block = page.code.find(({ text }) => text.startsWith(`# ${name}\n`));
  if (block === undefined) throw new Error(`${page.path} has no block that begins with # ${name}`);
  return block.text;
}

export interface Typed {
  /** Where the reader stands; beside the chart, and with this configuration of Prometheus. */
  folder: string;
  config: string;
  commands: readonly string[];
  promtool: string;
  adapt?: (command: string) => string;
}

/** @returns what was printed */
export async function typeBeside({ folder, config, commands, promtool, adapt }: Typed): Promise<string> {
  const { helm } = await tools();
  await symlink(join(ROOT, 'charts'), join(folder, 'charts'));
  await symlink(promtool, join(folder, 'promtool'));
  await writeFile(join(folder, 'prometheus.yaml'), config);
  const env = { PATH: [folder, dirname(helm), process.env['PATH']].join(delimiter) };
  return (await typeIn(commands, { cwd: folder, env, ...(adapt === undefined ? {} : { adapt }) })).stdout;
}

/** Debian's one refuses a discovery of Kubernetes. */
export const promtoolOfKubernetes = (): Promise<string> => goProgram('promtool');

/** Prometheus as a plain process, on loopback. */
export async function startPlain(folder: string): Promise<Prometheus & { stop(): Promise<void> }> {
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['--config.file=prometheus.yaml', '--storage.tsdb.path=data', `--web.listen-address=${address}`];
  const child = spawn(await goProgram('prometheus'), args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4_000);
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  };
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(said);
    return (await fetch(`http://${address}/-/ready`)).ok;
  };
  try {
    await waitFor(ready, { what: 'Prometheus on loopback', timeoutMs: 60_000 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...prometheusAt(`http://${address}`), stop };
}
