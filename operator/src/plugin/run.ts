/** From a command line to an exit code. */
import { KubeError } from '../kube/errors.ts';
import { type Kube, openKube } from './cluster/kubeconfig.ts';
import { inWords } from './cluster/refusal.ts';
import type { Around, Command } from './command.ts';
import { COMMANDS, HIDDEN } from './commands.ts';
import { CommandError, EXIT, UsageError } from './errors.ts';
import { commandAt, type Options, type OptionTable, readOptions, SHARED } from './options.ts';
import { clean } from './terminal/clean.ts';
import { overview, usageOf } from './usage.ts';

/** Of all commands: enough to find the name of the command among flags. */
const EVERY_OPTION: OptionTable = Object.assign({}, SHARED, ...COMMANDS.map(({ options }) => options));

function close(name: string): string {
  const near = COMMANDS.find((command) => command.name.startsWith(name.slice(0, 3)));
  return near === undefined ? '' : `; did you mean ${near.name}?`;
}

function readCommand(argv: readonly string[]): { command: Command; options: Options } {
  // what is being typed is no command line yet, so nothing of it is read as flags
  const hidden = HIDDEN.find((entry) => entry.name === argv[0]);
  if (hidden !== undefined) return { command: hidden, options: readOptions(['--', ...argv.slice(1)], hidden.options) };
  const at = commandAt(argv, EVERY_OPTION);
  const name = argv[at] ?? '';
  const command = COMMANDS.find((entry) => entry.name === name);
  if (command === undefined) throw new UsageError(`there is no command "${name}"${close(name)}`);
  const rest = argv.toSpliced(at, 1);
  if (command.ownUsage !== undefined) return { command, options: readOptions(['--', ...rest], {}) };
  const options = readOptions(rest, { ...SHARED, ...command.options });
  if (options.positionals.length > command.most)
    throw new UsageError(
      `"${options.positionals[command.most]}" is one argument too many: kubectl kling ${command.name} ${command.arguments}`,
    );
  if (options.positionals.includes(''))
    throw new UsageError(`an argument is empty: kubectl kling ${command.name} ${command.arguments}`);
  return { command, options };
}

export async function run(argv: readonly string[], bare: Around): Promise<number> {
  const around: Around = {
    ...bare,
    out: (text) => bare.out(clean(text)),
    err: (text) => bare.err(clean(text)),
  };
  if (argv.length === 0 || (argv.length === 1 && ['-h', '--help', 'help'].includes(argv[0] ?? ''))) {
    around.out(overview(COMMANDS));
    return EXIT.ok;
  }
  let opened: Kube | undefined;
  try {
    const { command, options } = readCommand(argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv);
    if (options.has('help')) {
      around.out(usageOf(command));
      return EXIT.ok;
    }
    const kube = (): Kube => {
      opened ??= openKube(options, around);
      return opened;
    };
    const out = command.isVerbatim === true ? bare.out : around.out;
    const code = await command.run({ ...around, out, commands: COMMANDS, options, kube });
    return code === EXIT.ok && around.signal.aborted && command.ownUsage === undefined ? EXIT.interrupted : code;
  } catch (error) {
    // whatever broke off then is no failure to tell of
    if (around.signal.aborted) return EXIT.interrupted;
    if (error instanceof UsageError) {
      around.err(`error: ${error.message}\nkubectl kling --help tells what there is\n`);
      return EXIT.usage;
    }
    if (error instanceof CommandError) around.err(`error: ${error.message}\n`);
    else if (error instanceof KubeError) around.err(`error: ${inWords(error, opened?.server ?? 'the cluster')}\n`);
    else throw error;
    return EXIT.finding;
  } finally {
    await opened?.client.close();
  }
}
