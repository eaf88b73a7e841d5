import { spawn } from 'node:child_process';

/** A command that failed, with what it said last. */
export class CommandError extends Error {
  readonly exitCode: number | null;
  readonly stderr: string;
  constructor(command: string, exitCode: number | null, stderr: string) {
    const tail = stderr.trim().split('\n').slice(-15).join('\n');
    super(`${command} failed (exit code ${exitCode})${tail ? `:\n${tail}` : ''}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export type RunOptions = {
  input?: string;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  timeoutMs?: number;
  /** Somebody else's, where this process may become them. */
  uid?: number;
  gid?: number;
};

/**
 * Runs a program and gives its standard output.
 * @throws CommandError when it cannot start, exits with another code than 0, or takes longer than `timeoutMs`
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const name = [program, ...args.slice(0, 4)].join(' ');
    child.on('error', (error) => reject(new CommandError(name, null, error.message)));
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString());
      else reject(new CommandError(name, code, Buffer.concat(stderr).toString()));
    });
    // A program that ends without reading its input is not an error of ours.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** True when the program ran and ended well; for questions and for cleaning up. */
export async function succeeds(program: string, args: readonly string[], options?: RunOptions): Promise<boolean> {
  return run(program, args, options).then(
    () => true,
    () => false,
  );
}
