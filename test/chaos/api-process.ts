import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

export interface ApiProcess {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT after so long: what a machine under pressure does to a process. */
  freeze(milliseconds: number): Promise<void>;
}

const MAIN = join(import.meta.dirname, '../../services/api/src/main.ts');
const startedSchema = z.object({ msg: z.literal('api started'), port: z.number() });

/**
 * An API process as it runs in production, on a port of its own.
 * @param onLine told every line that it logs
 * @throws Error with what it said when it ends before it has started
 */
export async function startApiProcess(
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void = () => {},
): Promise<ApiProcess> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env: { HOST: '127.0.0.1', PORT: '0', MANAGEMENT_PORT: '0', AUTH: 'none', KLING_API_KEY: 'key', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      onLine(line);
      said = `${said}${line}\n`.slice(-4000);
      const started = startedSchema.safeParse(JSON.parse(line));
      if (started.success) resolve(started.data.port);
    });
    child.once('close', (code) => reject(new Error(`the API ended with ${code}:\n${said}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async freeze(milliseconds) {
      child.kill('SIGSTOP');
      await pause(milliseconds);
      child.kill('SIGCONT');
    },
  };
}
