import { join } from 'node:path';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { runCommand } from '../../scripts/images/run-command.ts';
import { type Maker, startProcess } from './maker.ts';

const HERE = join(import.meta.dirname, 'go');

/** Builds the server (seconds the first time, then from Go's own cache) and starts it. */
export async function startGo(stateless: boolean): Promise<Maker> {
  const digest = await digestOf(HERE, ['go.mod', 'go.sum', 'main.go']);
  const program = cacheFolder('makers', `go-${digest.slice(0, 16)}`);
  await runCommand('go', ['build', '-o', program, '.'], { cwd: HERE });
  return await startProcess(program, [], { STATELESS: stateless ? '1' : '0' });
}
