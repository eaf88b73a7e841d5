import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

/** A service as a process of its own, on the loopback. */
export interface ServiceProcess {
  readonly process: ChildProcess;
  readonly url: string;
  /** Address of its management port; undefined where it has none. */
  readonly managementUrl: string | undefined;
  /** Its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after so long: what a machine under pressure does to a process. */
  freeze(milliseconds: number): Promise<void>;
  /** Resident memory now, in bytes (`VmRSS`). */
  memory(): Promise<number>;
}

export interface ServiceOptions {
  readonly env: Readonly<Record<string, string>>;
  /** What runs the file; this Node without it. */
  readonly program?: string;
  /** Of the program. */
  readonly flags?: readonly string[];
  /** The core that it is held to, so that it does not share one with the load. */
  readonly cpu?: number | undefined;
  /** Told every line that it logs. */
  readonly onLine?: (line: string) => void;
}

/** The probe serves nothing but its management port. */
const startedSchema = z.union([
  z.object({ port: z.number(), managementPort: z.number().optional() }),
  z
    .object({ managementPort: z.number() })
    .transform(({ managementPort }) => ({ port: managementPort, managementPort })),
]);
/** Runs TypeScript as it stands, without a word on that. */
const SOURCES = ['--disable-warning=ExperimentalWarning'];

/**
 * Starts one file on free ports, and waits until it logs the port that it listens at.
 * @throws Error with what it said when it ends before that
 */
export async function startServiceProcess(
  file: string,
  { env, program = process.execPath, flags = SOURCES, cpu, onLine = () => {} }: ServiceOptions,
): Promise<ServiceProcess> {
  const line = [program, ...flags, file];
  const [command = '', ...args] = cpu === undefined ? line : ['taskset', '-c', String(cpu), ...line];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close').then(() => child.exitCode);
  let said = '';
  const note = (text: string): void => {
    said = `${said}${text}`.slice(-4000);
  };
  child.stderr.setEncoding('utf8').on('data', note);
  const { port, managementPort } = await new Promise<z.infer<typeof startedSchema>>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      onLine(line);
      note(`${line}\n`);
      const started = startedSchema.safeParse(parse(line));
      if (started.success) resolve(started.data);
    });
    void exited.then((code) => reject(new Error(`${file} ended with ${code}:\n${said}`)));
  });
  return {
    process: child,
    url: `http://127.0.0.1:${port}`,
    managementUrl: managementPort === undefined ? undefined : `http://127.0.0.1:${managementPort}`,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async freeze(milliseconds) {
      child.kill('SIGSTOP');
      await pause(milliseconds);
      child.kill('SIGCONT');
    },
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
