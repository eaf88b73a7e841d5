/** Operators as processes of this host, with the rights that the chart gives and no others, so that a test may stop, starve and time them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, isIP, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { kubeconfigPath } from '../../cluster/index.ts';
import { CHART } from '../case.ts';
import { helm, type Json, kubectl } from '../kubectl.ts';
import { waitFor } from '../wait.ts';

export interface OperatorProcess {
  readonly name: string;
  /** Log lines so far. */
  readonly lines: readonly Json[];
  /** @returns the first line with that message, as soon as it is there */
  said(message: string, timeoutMs?: number): Promise<Json>;
  signal(signal: NodeJS.Signals): void;
  /** Lets nothing through to the API server, and closes nothing: as a network that swallows packets. */
  freeze(): void;
  readonly exited: Promise<number | null>;
  running(): boolean;
  port(): Promise<number>;
}

export interface Operators {
  start(name: string, env?: Record<string, string>): Promise<OperatorProcess>;
  stop(): Promise<void>;
}

/** @param namespace of the release; @param watched namespaces, each with a Role and nothing cluster-wide */
export async function createOperators(namespace: string, watched: readonly string[]): Promise<Operators> {
  const folder = await mkdtemp(join(tmpdir(), 'operators-'));
  const values = ['image.registry=localhost', 'crds.install=false', 'scope=namespace'];
  const sets = [...values, `watchNamespaces={${watched.join()}}`].flatMap((set) => ['--set', set]);
  const rendered = parseAllDocuments(await helm(['template', 'operator', CHART, '--namespace', namespace, ...sets]))
    .map((document) => document.toJS())
    .filter((object) => /Role|ServiceAccount/.test(object?.kind ?? ''));
  await kubectl(['apply', '-f', '-'], rendered.map((object) => stringify(object)).join('---\n'));
  const account = rendered.find(({ kind }) => kind === 'ServiceAccount').metadata.name;
  const token = (await kubectl(['create', 'token', account, '-n', namespace, '--duration=1h'])).trim();

  const admin = parse(await readFile(await kubeconfigPath(), 'utf8'));
  const context = admin.contexts.find((entry: Json) => entry.name === admin['current-context']).context;
  const { cluster } = admin.clusters.find((entry: Json) => entry.name === context.cluster);
  const server = new URL(cluster.server);
  const running: { child: ChildProcess; close: () => void }[] = [];

  return {
    async start(name, env = {}) {
      const proxy = await startProxy(server.hostname, Number(server.port || 443));
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        clusters: [
          {
            name: 'x',
            // the certificate is good for the loopback address, or for the name that the server has
            cluster: {
              ...cluster,
              server: `https://127.0.0.1:${proxy.port}`,
              ...(isIP(server.hostname) === 0 ? { 'tls-server-name': server.hostname } : {}),
            },
          },
        ],
        users: [{ name: 'x', user: { token } }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      };
      const kubeconfig = join(folder, `${name}.yaml`);
      await writeFile(kubeconfig, stringify(config), { mode: 0o600 });
      const images = Object.fromEntries(
        ['mcp', 'api', 'sandbox', 'probe'].map((image) => [
          `IMAGE_${image.toUpperCase()}`,
          `localhost/kling-${image}:dev`,
        ]),
      );
      const child = spawn(process.execPath, ['operator/src/main.ts'], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          ...{ PATH: process.env['PATH'], KUBECONFIG: kubeconfig, HOST: '127.0.0.1', MANAGEMENT_PORT: '0' },
          ...{ POD_NAMESPACE: namespace, POD_NAME: name, WATCH_NAMESPACES: watched.join() },
          ...{ LEADER_ELECTION_LEASE: 'operator-kling-operator', IMAGE_PULL_POLICY: 'Never', ...images, ...env },
        },
      });
      running.push({ child, close: proxy.close });
      const lines: Json[] = [];
      createInterface({ input: child.stdout }).on('line', (line) =>
        lines.push({ ...JSON.parse(line), seenAt: performance.now() }),
      );
      const said = (message: string, timeoutMs = 30_000): Promise<Json> =>
        waitFor(async () => lines.find(({ msg }) => msg === message), {
          what: `${name} to say "${message}"`,
          timeoutMs,
          everyMs: 5,
        });
      return {
        name,
        lines,
        said,
        signal: (signal) => void child.kill(signal),
        freeze: proxy.freeze,
        exited: new Promise((resolve) => child.on('exit', (code) => resolve(code))),
        running: () => child.exitCode === null && child.signalCode === null,
        port: async () => (await said('Operator was started')).port,
      };
    },
    async stop() {
      for (const { child, close } of running) {
        if (child.exitCode === null) child.kill('SIGKILL');
        close();
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Passes TCP on to the API server until it is frozen. */
async function startProxy(host: string, port: number) {
  const pairs = new Set<[Socket, Socket]>();
  let frozen = false;
  const server = createServer((near) => {
    if (frozen) return void near.pause();
    const far = connect(port, host);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair)
      socket
        .on('error', () => {})
        .on('close', () => {
          pairs.delete(pair);
          for (const each of pair) each.destroy();
        });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      frozen = true;
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}
