/** Programs of this folder, with the objects that they judge on standard input and their answers on standard output. */
import { join } from 'node:path';
import { runCommand } from '../../scripts/images/run-command.ts';
import { goProgram } from '../go-program.ts';

/**
 * @param folder of its sources, from here
 * @throws CommandError with the words of a program that does not end well
 */
export async function ask(name: string, folder: string, args: readonly string[], objects: unknown): Promise<unknown> {
  const program = await goProgram({
    name,
    module: import.meta.dirname,
    package: `./${folder}`,
    sources: [join(folder, 'main.go')],
  });
  return JSON.parse(await runCommand(program, args, { input: JSON.stringify(objects) }));
}
