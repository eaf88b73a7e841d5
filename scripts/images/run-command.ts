/** Runs programs of the machine; what they print is shown only when they fail. */
import { spawn } from 'node:child_process';

export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Exit code; null when the program could not be started or was ended by a signal. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** For its standard input; nothing by default. */
  readonly input?: string;
}

/**
 * @returns what the program wrote to standard output
 * @throws CommandError with the end of its output
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env = process.env, input = '' }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    // One that ends before it has read all says why by how it ends.
    child.stdin.on('error', () => {}).end(input);
    let stdout = '';
    let all = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      all += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      all += chunk;
    });
    child.on('error', (cause) =>
      reject(new CommandError(`${program} cannot be started: ${cause.message}`, null, { cause })),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const tail = all.trim().split('\n').slice(-15).join('\n');
      reject(new CommandError(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${tail}`, code));
    });
  });
}

/** Whether the program can be found and answers to these arguments. */
export async function answers(program: string, args: readonly string[] = ['--version']): Promise<boolean> {
  return runCommand(program, args).then(
    () => true,
    () => false,
  );
}
