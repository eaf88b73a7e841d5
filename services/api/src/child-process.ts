/** Test support: the service as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';

const MAIN = join(import.meta.dirname, 'main.ts');

export interface Child {
  readonly process: ChildProcess;
  readonly url: string;
  readonly managementUrl: string;
  readonly exited: Promise<number | null>;
  /** At once, without draining. */
  kill(): Promise<void>;
}

/** @throws Error with everything it wrote, when it ends before it has started */
export async function startChild(env: Record<string, string>): Promise<Child> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env: {
      HOST: '127.0.0.1',
      PORT: '0',
      MANAGEMENT_PORT: '0',
      AUTH: 'none',
      KLING_API_KEY: 'k',
      ...env,
    },
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const started = z.object({ msg: z.literal('api started'), port: z.number(), managementPort: z.number() });
  let output = '';
  let errors = '';
  const ports = await new Promise<z.infer<typeof started>>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      for (const line of output.split('\n').slice(0, -1)) {
        const parsed = started.safeParse(JSON.parse(line));
        if (parsed.success) resolve(parsed.data);
      }
    });
    child.stderr.on('data', (data: Buffer) => {
      errors += data.toString();
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output}${errors}`)));
  });
  return {
    process: child,
    url: `http://127.0.0.1:${ports.port}`,
    managementUrl: `http://127.0.0.1:${ports.managementPort}`,
    exited,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
