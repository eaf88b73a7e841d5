/** Types commands as a reader would: in one shell, one after the other, until one fails. */
import { type RunResult, run } from '../e2e/kubectl.ts';

export interface TypeOptions {
  /** Makes a command fit the place: another address, a tag; more lines are more commands. */
  readonly adapt?: (command: string) => string;
  readonly env?: Record<string, string>;
  /** The folder that the reader stands in; the root of the tree without it. */
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** A person waits until the forwarded port answers before going on. */
const WAIT_FOR_PORT = `wait_for_port() { for _ in $(seq 1 100); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.1; done; echo "nobody listens on $1" >&2; return 1; }`;

function step(command: string): string {
  const port = /^kubectl port-forward .*\s(\d+)(?::\d+)? &$/.exec(command)?.[1];
  const told = `printf '+ %s\\n' ${quoted(command)} >&2`;
  return port === undefined
    ? `${told}\n${command}`
    : `${told}\n${command.replace(/ &$/, ' >/dev/null &')}\nwait_for_port ${port}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** @throws Error with the last command and what it printed */
export async function typeIn(commands: readonly string[], options: TypeOptions = {}): Promise<RunResult> {
  const adapted = commands.flatMap((command) => (options.adapt?.(command) ?? command).split('\n'));
  const script = [
    'set -eo pipefail',
    `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT`,
    ...(options.cwd === undefined ? [] : [`cd ${quoted(options.cwd)}`]),
    WAIT_FOR_PORT,
    ...adapted.map(step),
  ].join('\n');
  const env = options.env ?? {};
  const result = await run('bash', ['-c', script], { env, timeoutMs: options.timeoutMs ?? 400_000 });
  if (result.code !== 0) throw new Error(`exit ${result.code}\n${result.stderr}\n${result.stdout}`);
  return result;
}
