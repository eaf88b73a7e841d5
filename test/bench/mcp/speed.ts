import { type Pace, sendClosedLoop } from '../closed-loop.ts';
import { type Figure, median, megabytes } from '../figures.ts';
import { startOurs, startPeers } from './processes.ts';
import { type McpRequest, OTHER_LISTS, SHARED, TOOLS_LIST } from './requests.ts';

const ROUNDS = 5;
const SECONDS = 2;
/** Until the compiler has seen enough. */
const WARM_UP_SECONDS = 3;
const RSS_GOAL_MB = 150;

type Name = 'ours' | 'bare' | 'sdk' | 'fastmcp';

/** Requests a second by method: our MCP service, a bare Fastify route, plain SDK v2 and FastMCP 2.5.1, in turns. */
export async function measureMcpSpeed(say: (text: string) => void): Promise<Figure[]> {
  const ours = await startOurs();
  const peers = await startPeers(ours.url);
  const paths = { ours: '/mcp/v1', bare: '/mcp/v1', sdk: '/mcp/v1', fastmcp: '/mcp/v1/' };
  const servers = { ours, ...peers };
  const send = ({ headers, body }: McpRequest, name: Name, seconds: number) =>
    sendClosedLoop({ url: servers[name].url + paths[name], headers, body }, { seconds });
  const paces = new Map<string, Pace[]>();
  const of = (request: McpRequest, name: Name): Pace => {
    const seen = paces.get(`${request.era} ${request.method} ${name}`) ?? [];
    return { perSecond: median(seen.map(({ perSecond }) => perSecond)), p99: median(seen.map(({ p99 }) => p99)) };
  };
  try {
    const turns: [McpRequest, readonly Name[]][] = [
      [TOOLS_LIST, ['bare']],
      ...SHARED.map((request): [McpRequest, readonly Name[]] => [
        request,
        request.era === 'legacy' ? ['ours', 'sdk', 'fastmcp'] : ['ours', 'sdk'],
      ]),
      ...OTHER_LISTS.map((request): [McpRequest, readonly Name[]] => [request, ['ours']]),
    ];
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [request, names] of turns) {
        for (const name of names) {
          const key = `${request.era} ${request.method} ${name}`;
          const pace = await send(request, name, round === 0 ? WARM_UP_SECONDS : SECONDS);
          if (round > 0) paces.set(key, [...(paces.get(key) ?? []), pace]);
        }
      }
      say(round === 0 ? 'all have warmed up' : `round ${round} of ${ROUNDS} is over`);
    }
    const memory = { ours: await ours.memory(), sdk: await peers.sdk.memory() };
    const bare = of(TOOLS_LIST, 'bare').perSecond;
    say(`bare Fastify with the bytes of tools/list: ${rounded(bare)}/s`);
    for (const [request, names] of turns) {
      const told = names.map(
        (name) => `${name} ${rounded(of(request, name).perSecond)}/s, p99 ${of(request, name).p99} ms`,
      );
      if (!names.includes('bare')) say(`${request.era} ${request.method}: ${told.join('; ')}`);
    }
    say(`resident memory after it: ours ${megabytes(memory.ours)} MB, plain SDK v2 ${megabytes(memory.sdk)} MB`);

    const lists = [...SHARED, ...OTHER_LISTS].filter(({ method }) => method !== 'tools/call');
    const calls = SHARED.filter(({ method }) => method === 'tools/call');
    const shared = SHARED.filter(({ era }) => era === 'legacy');
    return [
      atLeast(
        'slowest of initialize, discover and the lists, as a share of bare Fastify',
        Math.min(...lists.map((request) => of(request, 'ours').perSecond / bare)),
        0.5,
      ),
      atLeast(
        'slower era of tools/call, in times of plain SDK v2',
        Math.min(...calls.map((request) => of(request, 'ours').perSecond / of(request, 'sdk').perSecond)),
        1.5,
      ),
      atLeast(
        'slowest of initialize, tools/list and tools/call, in times of FastMCP 2.5.1 without sessions',
        Math.min(...shared.map((request) => of(request, 'ours').perSecond / of(request, 'fastmcp').perSecond)),
        10,
      ),
      {
        what: 'highest p99 of all requests, against plain SDK v2',
        seen: `${Math.max(...SHARED.map((request) => of(request, 'ours').p99))} ms`,
        goal: `none above that of the SDK (lowest there ${Math.min(...SHARED.map((request) => of(request, 'sdk').p99))} ms)`,
        holds: SHARED.every((request) => of(request, 'ours').p99 <= of(request, 'sdk').p99),
      },
      {
        what: 'resident memory after the load',
        seen: `${megabytes(memory.ours)} MB`,
        goal: `< ${RSS_GOAL_MB} MB (plain SDK v2: ${megabytes(memory.sdk)} MB)`,
        holds: memory.ours < RSS_GOAL_MB * 1e6,
      },
    ];
  } finally {
    await ours.kill();
    await peers.kill();
  }
}

function atLeast(what: string, seen: number, goal: number): Figure {
  return { what, seen: seen.toFixed(2), goal: `≥ ${goal}`, holds: seen >= goal };
}

function rounded(value: number): string {
  return Math.round(value).toLocaleString('en');
}
