import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** A running server of another maker. */
export interface Maker {
  url: string;
  /** Sessions that are open now. */
  sessions(): Promise<number>;
  /** Memory of the process; 0 for one inside this process. */
  residentBytes(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a program that listens on the port in its variable PORT, and waits until it does. */
export async function startProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Maker> {
  const port = await freePort();
  const child = spawn(program, args, {
    env: { ...process.env, ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      // The end is what tells why it ended.
      output = (output + text).slice(-4096);
    });
  }
  const origin = `http://127.0.0.1:${port}`;
  const sessions = async () => Number(await (await fetch(`${origin}/sessions`)).text());
  try {
    await listening(child, sessions);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${program} ${args.join(' ')} does not listen:\n${output}`, { cause: error });
  }
  return {
    url: `${origin}/mcp`,
    sessions,
    async residentBytes() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function listening(child: ChildProcess, ask: () => Promise<number>): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error('60 seconds are over');
    const answered = await ask().catch(() => null);
    if (answered !== null) return;
    await setTimeout(50);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
