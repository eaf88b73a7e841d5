import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** A process under measurement, on the loopback. */
export interface Service {
  readonly url: string;
  /** Address of its management port; undefined where it has none. */
  readonly managementUrl: string | undefined;
  /** Resident memory now, in bytes (`VmRSS`). */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

const startedSchema = z.object({ port: z.number(), managementPort: z.number().optional() });

/**
 * Starts one file as a process of its own, and waits until it logs the port that it listens at.
 * @param flags of Node
 * @param cpu the core that it is held to, so that it does not share one with the load
 * @throws Error with what it said when it ends before that
 */
export async function startService(
  file: string,
  env: Readonly<Record<string, string>>,
  cpu: number | undefined,
  flags: readonly string[] = ['--disable-warning=ExperimentalWarning'],
): Promise<Service> {
  const node = [process.execPath, ...flags, file];
  const [command = '', ...args] = cpu === undefined ? node : ['taskset', '-c', String(cpu), ...node];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { port, managementPort } = await started(child, file);
  return {
    url: `http://127.0.0.1:${port}`,
    managementUrl: managementPort === undefined ? undefined : `http://127.0.0.1:${managementPort}`,
    async memory() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function started(child: ChildProcess, file: string): Promise<z.infer<typeof startedSchema>> {
  let said = '';
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the process has no output');
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(-4000);
  });
  return new Promise((resolve, reject) => {
    createInterface(stdout).on('line', (line) => {
      said = `${said}${line}\n`.slice(-4000);
      const told = startedSchema.safeParse(parse(line));
      if (told.success) resolve(told.data);
    });
    child.once('close', (code) => reject(new Error(`${file} ended with ${code}:\n${said}`)));
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
