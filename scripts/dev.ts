/** `npm run dev`: sandbox, API and MCP as plain processes, without a cluster, started again when their sources change. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type DevFolder, openFolder } from './dev/folder.ts';
import { lineWriter } from './dev/lines.ts';
import { type DevProcess, isTaken, type Running, start } from './dev/process.ts';

const ROOT = join(import.meta.dirname, '..');
const READY_MS = 60_000;
const SAME_MS = 500;

const USAGE = `Usage: npm run dev [-- [--offset N] [--data FOLDER]]

  --offset N     adds N to every port (5510 MCP, 5511 API, 5512 sandbox; 9090, 9091, 9092 management)
  --data FOLDER  where tasks and keys are kept (.dev)`;

function processes(offset: number, folder: DevFolder): readonly DevProcess[] {
  const [mcp, api, sandbox] = [5510 + offset, 5511 + offset, 5512 + offset];
  const callers = { AUTH: 'callers', CALLERS_DIR: folder.callersDir, INTERNAL_KEY_FILE: folder.internalKeyFile };
  return [
    { name: 'sandbox', port: sandbox, managementPort: 9092 + offset, env: {} },
    {
      name: 'api',
      port: api,
      managementPort: 9091 + offset,
      env: {
        ...callers,
        DATA_DIR: folder.dataDir,
        KLING_BASE_URL: `http://127.0.0.1:${sandbox}`,
        KLING_API_KEY: 'sandbox',
      },
    },
    { name: 'mcp', port: mcp, managementPort: 9090 + offset, env: { ...callers, API_URL: `http://127.0.0.1:${api}` } },
  ];
}

/** What to copy and paste. */
function guide(offset: number, key: string): string {
  const [mcp, api] = [`http://127.0.0.1:${5510 + offset}/mcp/v1`, `http://127.0.0.1:${5511 + offset}`];
  const client = { mcpServers: { kling: { type: 'http', url: mcp, headers: { Authorization: `Bearer ${key}` } } } };
  return `
Ready. Pictures come from the sandbox and cost nothing. Sources are watched; Ctrl-C stops everything.

MCP   ${mcp}
API   ${api}/docs
Key   ${key}

Make a picture:
  curl -s ${api}/api/images/generations -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -d '{"prompt":"a lighthouse at dusk"}'

Client configuration for MCP:
  ${JSON.stringify(client)}
`;
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      offset: { type: 'string', default: '0' },
      data: { type: 'string', default: join(ROOT, '.dev') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const offset = z.coerce
    .number({ error: '--offset must be a number' })
    .int('--offset must be a whole number')
    .min(0, '--offset must be 0 or more')
    .max(50_000, '--offset must be 50000 at most')
    .parse(values.offset);
  const folder = await openFolder(resolve(values.data));
  const wanted = processes(offset, folder);
  const taken = await takenPorts(wanted);
  if (taken.length > 0) {
    console.error(
      `Taken on this machine: ${taken.join(', ')}. Stop what listens there, or move all ports: npm run dev -- --offset 100`,
    );
    return 1;
  }

  const stopped = Promise.withResolvers<void>();
  let askedAt: number | undefined;
  const onSignal = (): void => {
    // Whoever asks again does not want to wait; the `exit` below ends the others. npm passes on the signal
    // that the terminal sends to everybody, so that one Ctrl-C comes twice at once.
    if (askedAt !== undefined && performance.now() - askedAt > SAME_MS) process.exit(1);
    askedAt ??= performance.now();
    stopped.resolve();
  };
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Nobody reads any more, as after `| head`.
  process.stdout.on('error', () => stopped.resolve());
  const running: Running[] = [];
  // Whatever ends this process, the others do not outlive it.
  process.once('exit', () => running.forEach((each) => void each.kill()));
  const terminal = process.stdout.isTTY === true;
  const write = (text: string): void => void process.stdout.write(text);
  let exitCode = 0;
  try {
    for (const [index, each] of wanted.entries())
      running.push(start(ROOT, each, lineWriter(each.name, index, { terminal, write })));
    const ready = Promise.all(running.map((each) => each.ready(READY_MS))).then(() =>
      write(guide(offset, folder.callerKey)),
    );
    await Promise.race([stopped.promise, ready.then(() => stopped.promise)]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    exitCode = 1;
  }
  await Promise.all(running.map((each) => each.stop()));
  return exitCode;
}

async function takenPorts(wanted: readonly DevProcess[]): Promise<readonly string[]> {
  const ports = wanted.flatMap(({ name, port, managementPort }) => [
    { port, text: `port ${port} (${name})` },
    { port: managementPort, text: `port ${managementPort} (management of ${name})` },
  ]);
  const taken = await Promise.all(ports.map(({ port }) => isTaken(port)));
  return ports.filter((_, index) => taken[index]).map(({ text }) => text);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const problems = error instanceof z.ZodError ? error.issues.map((issue) => issue.message) : [];
  console.error(problems.length > 0 ? problems.join('\n') : error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
