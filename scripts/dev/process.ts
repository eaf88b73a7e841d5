/** One process of the product, started from its sources and started again when they change. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface DevProcess {
  readonly name: string;
  readonly port: number;
  readonly managementPort: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface Running {
  /** Resolves when it is ready for traffic. */
  ready(deadlineMs: number): Promise<void>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  stop(): Promise<void>;
  /** At once, without waiting. */
  kill(): void;
}

const HOST = '127.0.0.1';
const STOP_MS = 8000;

/** In a process group of its own, so that Ctrl-C reaches it only through `stop` and its watcher leaves nothing behind. */
export function start(
  root: string,
  { name, port, managementPort, env }: DevProcess,
  write: (chunk: string) => void,
): Running {
  const child = spawn(process.execPath, ['--watch', '--watch-preserve-output', `services/${name}/src/main.ts`], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOST,
      PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
      DRAIN_SECONDS: '1',
      ...env,
    },
  });
  child.stdout.setEncoding('utf8').on('data', write);
  child.stderr.setEncoding('utf8').on('data', write);
  const gone = once(child, 'close').then(() => undefined);
  const running = () => child.exitCode === null && child.signalCode === null;
  return {
    gone,
    async ready(deadlineMs) {
      const end = performance.now() + deadlineMs;
      while (performance.now() < end) {
        if (!running()) throw new Error(`${name} ended before it was ready; its lines above say why`);
        const answer = await fetch(`http://${HOST}:${managementPort}/readyz`).catch(() => undefined);
        if (answer?.ok === true) return;
        await pause(100);
      }
      throw new Error(`${name} was not ready within ${deadlineMs / 1000} s; its lines above say why`);
    },
    async stop() {
      signalGroup(child, 'SIGTERM');
      await Promise.race([gone, pause(STOP_MS, undefined, { ref: false })]);
      signalGroup(child, 'SIGKILL');
      await gone;
    },
    kill: () => signalGroup(child, 'SIGKILL'),
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

/** Whether somebody listens on the port of this machine. */
export async function isTaken(port: number): Promise<boolean> {
  const socket = connect({ host: HOST, port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
