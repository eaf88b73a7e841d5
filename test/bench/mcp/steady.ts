import { setTimeout as pause } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import type { ServiceProcess } from '../../service-process.ts';
import { sendClosedLoop } from '../closed-loop.ts';
import { type Figure, megabytes } from '../figures.ts';
import { startOurs } from './processes.ts';
import { INITIALIZE, LISTEN, type McpRequest, OTHER_LISTS, SHARED } from './requests.ts';

const WARM_UP = 100_000;
const MORE = 500_000;
/** Four times the pace of the comments that keep a stream alive. */
const IDLE_MS = 60_000;
const REQUESTS = 1_000_000;
const STREAMS = 1_000;
const INITIALIZES = 10_000;
const FLAT = 1.1;

/** Resident memory of our MCP service: over a million requests, while a thousand clients listen, and after ten thousand that came no further than `initialize`. */
export async function measureMcpMemory(say: (text: string) => void): Promise<Figure[]> {
  const ours = await startOurs();
  const url = `${ours.url}/mcp/v1`;
  const send = async (requests: number): Promise<void> => {
    const all = [...SHARED, ...OTHER_LISTS];
    for (const { headers, body } of all) {
      await sendClosedLoop({ url, headers, body }, { requests: Math.ceil(requests / all.length) });
    }
  };
  const agent = new Agent({ connections: STREAMS, bodyTimeout: 0 });
  try {
    await send(WARM_UP);
    const before = await ours.memory();
    say(`after ${WARM_UP.toLocaleString('en')} requests: ${megabytes(before)} MB`);
    await send(REQUESTS);
    const after = await ours.memory();
    say(`after ${REQUESTS.toLocaleString('en')} more: ${megabytes(after)} MB`);
    const streams: Dispatcher.ResponseData[] = [];
    for (let count = 0; count < STREAMS; count += 1) streams.push(await listen(agent, url, LISTEN));
    say(`with ${STREAMS.toLocaleString('en')} open streams: ${megabytes(await ours.memory())} MB`);
    await send(WARM_UP);
    const opened = await ours.memory();
    say(`with them and after ${WARM_UP.toLocaleString('en')} more requests: ${megabytes(opened)} MB`);
    await pause(IDLE_MS);
    await send(MORE);
    const listening = await ours.memory();
    say(
      `with them, ${IDLE_MS / 1000} idle seconds later and after ${MORE.toLocaleString('en')} more: ${megabytes(listening)} MB`,
    );
    await agent.destroy();
    for (const stream of streams) stream.body.on('error', () => {});
    await gone(ours);
    const begun = await ours.memory();
    for (let count = 0; count < INITIALIZES; count += 1) {
      const { headers, body } = INITIALIZE;
      const reply = await fetch(url, { method: 'POST', headers, body });
      if (!(await reply.text()).includes('serverInfo')) throw new Error(`initialize was answered with ${reply.status}`);
    }
    const abandoned = await ours.memory();
    say(`after ${INITIALIZES.toLocaleString('en')} initialize that nobody went on from: ${megabytes(abandoned)} MB`);
    return [
      flat(`memory after ${REQUESTS.toLocaleString('en')} requests`, after, before),
      flat(
        `memory with ${STREAMS.toLocaleString('en')} idle streams, over a minute and ${MORE.toLocaleString('en')} requests`,
        listening,
        opened,
      ),
      flat(`memory with ${STREAMS.toLocaleString('en')} idle streams, against none`, opened, after),
      flat(`memory after ${INITIALIZES.toLocaleString('en')} initialize`, abandoned, begun),
    ];
  } finally {
    await agent.destroy();
    await ours.kill();
  }
}

/** A stream that has said that it listens. */
async function listen(agent: Agent, url: string, { headers, body }: McpRequest): Promise<Dispatcher.ResponseData> {
  const reply = await agent.request({ origin: new URL(url).origin, path: '/mcp/v1', method: 'POST', headers, body });
  for await (const chunk of reply.body.iterator({ destroyOnReturn: false })) {
    if (String(chunk).includes('acknowledged')) return reply;
    throw new Error(`listening was answered with ${reply.statusCode}: ${chunk}`);
  }
  throw new Error(`listening ended with ${reply.statusCode}`);
}

/** Waits until no stream is open there. */
async function gone(ours: ServiceProcess): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const metrics = await (await fetch(`${ours.managementUrl}/metrics`)).text();
    const open = Number(/^klingapi_mcp_requests_in_flight\{.*\} (\d+)$/m.exec(metrics)?.[1]);
    if (open === 0) return;
    if (performance.now() > deadline)
      throw new Error(`${open} streams are still open 10 seconds after their clients left`);
  }
}

function flat(what: string, seen: number, base: number): Figure {
  const share = `${((seen / base - 1) * 100).toFixed(1)} %`;
  return {
    what,
    seen: `${megabytes(seen)} MB (${share})`,
    goal: `within 10 % of ${megabytes(base)} MB`,
    holds: seen <= base * FLAT,
  };
}
