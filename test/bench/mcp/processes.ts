import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../../scripts/bundle/bundle.ts';
import { pythonPackages } from '../../makers/python.ts';
import { type ServiceProcess, startServiceProcess } from '../../service-process.ts';
import { FLAGS } from '../flags.ts';
import { CALL, type McpRequest, TOOLS_LIST } from './requests.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Servers have one core, the load the other. */
const SERVER_CPU = 0;

/** Our MCP service as the image starts it, in one bundle. */
export async function startOurs(): Promise<ServiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-mcp-'));
  const entryPoints = { main: 'bench/mcp/ours.ts' };
  await bundle({ name: 'mcp', folder: 'test', entryPoints, description: '' }, ROOT, folder);
  const service = await startServiceProcess(join(folder, 'main.js'), { env: {}, flags: FLAGS, cpu: SERVER_CPU });
  return {
    ...service,
    async kill() {
      await service.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Peers {
  readonly bare: ServiceProcess;
  readonly sdk: ServiceProcess;
  readonly fastmcp: ServiceProcess;
  kill(): Promise<void>;
}

/** The others, with the tools that ours lists and the result that it gives, and their usual flags. */
export async function startPeers(oursUrl: string): Promise<Peers> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-peers-'));
  const list = await resultOf(oursUrl, TOOLS_LIST);
  const env = { REPLY: join(folder, 'reply'), TOOLS: join(folder, 'tools'), RESULT: join(folder, 'result') };
  await writeFile(env.REPLY, JSON.stringify({ result: list, jsonrpc: '2.0', id: 1 }));
  await writeFile(env.TOOLS, JSON.stringify(list['tools']));
  await writeFile(env.RESULT, JSON.stringify(await resultOf(oursUrl, CALL)));
  const at = (name: string) => join(import.meta.dirname, name);
  const python = await pythonPackages('test/images/python/requirements.txt');
  const bare = await startServiceProcess(at('bare.ts'), { env, cpu: SERVER_CPU });
  const sdk = await startServiceProcess(at('sdk.ts'), { env, cpu: SERVER_CPU });
  const fastmcp = await startServiceProcess(at('peer.py'), {
    env: { ...env, ...python.env, STATELESS: '1' },
    program: python.executable,
    flags: [],
    cpu: SERVER_CPU,
  });
  return {
    bare,
    sdk,
    fastmcp,
    async kill() {
      await Promise.all([bare, sdk, fastmcp].map((peer) => peer.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function resultOf(url: string, { headers, body }: McpRequest): Promise<Record<string, unknown>> {
  const text = await (await fetch(`${url}/mcp/v1`, { method: 'POST', headers, body })).text();
  return JSON.parse(/^(?:event: message\ndata: )?(.*)/.exec(text)?.[1] ?? '').result;
}
