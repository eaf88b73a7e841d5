/** The real console over a cache that the test feeds, as the operator's watch does, and handshakes as its observer has them. */
import type { HandshakeResult, ProbeReport, Verdict } from '@klingapi/probe';
import { type Console, startConsole } from '../../operator/src/console/start.ts';
import { createCache } from '../../operator/src/kube/cache.ts';
import { systemClock } from '../../operator/src/kube/clock.ts';
import { KINDS } from '../../operator/src/kube/kinds.ts';
import { createReadable } from '../../operator/src/readable.ts';
import { klingApiSchema } from '../../operator/src/resource/klingapi.ts';
import type { RepairRecord } from '../../operator/src/resource/status.ts';

type Status = Record<string, unknown>;

export interface World {
  readonly url: string;
  /** Whether this replica acts. */
  leading: boolean;
  /** A KlingApi as the watch brings it, new or changed. */
  put(name: string, status: Status, spec?: Status): void;
  remove(name: string): void;
  /** Handshakes of a pod, the newest now. @param everyMs time between them */
  shake(name: string, pod: string, verdicts: readonly Seen[], everyMs?: number, untilMs?: number): void;
  stop(): Promise<void>;
}

export type Seen = Verdict | `${Verdict} ${string}`;

/** @param port 0 picks one */
export async function startWorld(port = 0): Promise<World> {
  const cache = createCache({ kind: KINDS.KlingApi });
  const feed = cache.feed();
  feed.replace([]);
  let agoMs = 0;
  let version = 1;
  const objects = new Map<string, object>();
  const world = { leading: true };
  const page: Console = await startConsole({
    port,
    cache,
    readable: createReadable(),
    operator: () => ({
      pod: 'kling-operator-7c9d8-x2x4z',
      namespace: 'kling-system',
      leading: world.leading,
      leader: world.leading ? 'kling-operator-7c9d8-x2x4z' : 'kling-operator-7c9d8-q8q8q',
    }),
    clock: { ...systemClock, now: () => Date.now() - agoMs },
  });
  const put: World['put'] = (name, status, spec = {}) => {
    const [namespace, short] = split(name);
    version += 1;
    const object = {
      apiVersion: 'klingapi.dev/v1alpha1',
      kind: 'KlingApi',
      metadata: { name: short, namespace, uid: `uid-${name}`, generation: 1, resourceVersion: String(version) },
      spec: { upstream: { provider: 'Sandbox' }, ...spec },
      status,
    };
    objects.set(name, object);
    feed.upsert(object);
  };
  return Object.assign(world, {
    url: `http://localhost:${page.port}`,
    put,
    remove(name: string) {
      const [namespace, short] = split(name);
      feed.remove({ metadata: { namespace, name: short } });
      objects.delete(name);
    },
    shake(name: string, pod: string, verdicts: readonly Seen[], everyMs = 30_000, untilMs = 0) {
      const klingApi = klingApiSchema.parse(objects.get(name));
      for (const [at, seen] of verdicts.entries()) {
        agoMs = untilMs + (verdicts.length - 1 - at) * everyMs;
        page.saw(klingApi, { name: pod, uid: `uid-${pod}` }, handshake(seen), report(seen));
      }
      agoMs = 0;
    },
    stop: () => page.close(),
  });
}

function split(name: string): [string, string] {
  const [namespace = '', short = ''] = name.split('/');
  return [namespace, short];
}

const isVerdict = (word: string | undefined): word is Verdict =>
  ['Serving', 'AuthRequired', 'Failing', 'Unreachable', 'Unknown'].includes(word ?? '');

function handshake(seen: Seen): HandshakeResult {
  const [verdict, diagnosis] = seen.split(' ');
  if (!isVerdict(verdict)) throw new Error(`${seen} is no verdict`);
  return {
    verdict,
    // the operator's own diagnoses are no handshake's
    diagnosis: (diagnosis as HandshakeResult['diagnosis']) ?? null,
    message: '',
    era: null,
    evidence: {
      ...{ era: 'Legacy', method: 'initialize', status: verdict === 'Failing' ? 500 : 200, contentType: null },
      ...{ excerpt: null, code: null, error: null, phases: { connectMs: 1, firstByteMs: 3, totalMs: 4.2 } },
    },
    server: null,
  };
}

function report(seen: Seen): ProbeReport | null {
  const result = handshake(seen);
  if (result.verdict === 'Unreachable') return null;
  const at = new Date().toISOString();
  const since = { at, startedAt: at, firstServingAt: at, failingSince: null };
  return { ...result, ...since, consecutiveFailures: 0, handshakes: 1 };
}

export const iso = (agoSeconds: number): string => new Date(Date.now() - agoSeconds * 1000).toISOString();

const condition = (type: string, status: string, reason: string, message: string, agoSeconds = 3600) => ({
  ...{ type, status, reason, message, observedGeneration: 1, lastTransitionTime: iso(agoSeconds) },
});

export const verified = (agoSeconds: number) => ({
  summary: '3/3',
  at: iso(agoSeconds),
  revision: '5d8f7c9b64',
  checks: [
    { name: 'ApiHealth', result: 'Passed', message: 'GET /api/health answered HTTP 200', durationMs: 4 },
    { name: 'McpHandshake', result: 'Passed', message: 'kling answered initialize and server/discover', durationMs: 9 },
    { name: 'ImageGeneration', result: 'Passed', message: 'made a PNG of 1024x1024', durationMs: 2300 },
  ],
});

export function statusOf(
  name: string,
  pods: readonly { name: string; verdict: Verdict; diagnosis?: string; message?: string }[],
  more: Status = {},
  conditions: readonly object[] = [],
): Status {
  const serving = pods.filter(({ verdict }) => verdict === 'Serving' || verdict === 'AuthRequired').length;
  const [namespace, short] = split(name);
  const told = `${serving} of ${pods.length} MCP pods serve`;
  return {
    conditions: [
      serving > 0
        ? condition('Ready', 'True', 'Ready', `${told}, 1 API pods are ready`)
        : condition('Ready', 'False', pods[0]?.diagnosis ?? 'NoPod', `McpAvailable: ${told}`, 60),
      condition('Accepted', 'True', 'Accepted', 'the resource is valid and its children are ours'),
      condition('ApiAvailable', 'True', 'PodsReady', '1 of 1 API pods are ready'),
      condition('McpAvailable', serving > 0 ? 'True' : 'False', serving > 0 ? 'PodsServing' : 'NoPod', told),
      ...conditions,
    ],
    endpoints: { mcp: `http://${short}-mcp.${namespace}.svc:5510/mcp/v1` },
    mcp: {
      serverInfo: { name: 'kling', version: '0.1.0' },
      serving: `${serving}/${pods.length}`,
      pods: pods.map((pod) => ({ ...pod, since: iso(pod.verdict === 'Serving' ? 3600 : 14) })),
    },
    verification: verified(600),
    ...more,
  };
}

export { condition };

/** The repair of a dead session manager that began so many seconds ago, as far as it has come. */
export function repairOf(pod: string, replacement: string, beganAgo: number, over: boolean): RepairRecord {
  const step = (name: string, after: number, detail?: string) => ({
    ...{ name, at: iso(beganAgo - after) },
    ...(detail === undefined ? {} : { detail }),
  });
  return {
    id: `repair-of-${pod}`,
    startedAt: iso(beganAgo),
    pod,
    podUid: `uid-${pod}`,
    diagnosis: 'SessionManagerDown',
    evidence: {
      observer: 'Probe',
      message: 'POST /mcp/v1 answered HTTP 500: Task group is not initialized',
      httpStatus: 500,
      excerpt: 'RuntimeError: Task group is not initialized. Make sure to use run().',
      failingSince: iso(beganAgo + 12),
      consecutiveFailures: 4,
      log: 'RuntimeError: Task group is not initialized. Make sure to use run(). (4 times)',
    },
    action: 'RestartPod',
    trigger: 'Handshake',
    attempt: 1,
    actor: 'kling-operator-7c9d8-x2x4z_1a2b3c4d',
    servedBefore: 1,
    steps: [
      step('HandshakeFailed', -12, 'POST /mcp/v1 answered HTTP 500'),
      step('Diagnosed', 0, 'SessionManagerDown'),
      step('PodDeleted', 0.2, pod),
      ...(over
        ? [step('ReplacementStarted', 0.6, replacement), step('Serving', 3.1), step('Verified', 9.4, '3/3')]
        : []),
    ],
    ...(over
      ? {
          ...{ finishedAt: iso(beganAgo - 9.4), replacement, outcome: 'Recovered' as const, unavailableSeconds: 15.1 },
          ...{ verification: verified(beganAgo - 9.4) as RepairRecord['verification'] & object, servedAfter: 2 },
        }
      : {}),
  };
}

const many = (verdict: Seen, times: number): Seen[] => Array.from({ length: times }, () => verdict);

/** Some of everything, as it would be an hour after the start. */
export function fill(world: World): void {
  const [left, right, fresh] = [
    'studio-mcp-5d8f7c9b64-kx2lp',
    'studio-mcp-5d8f7c9b64-9zqwr',
    'studio-mcp-5d8f7c9b64-t7m4d',
  ];
  world.put(
    'media/studio',
    statusOf(
      'media/studio',
      [left, fresh].map((name) => ({ name, verdict: 'Serving' as const })),
      {
        repairsTotal: 1,
        repairs: [repairOf(right, fresh, 250, true)],
      },
    ),
  );
  world.shake('media/studio', left, many('Serving', 26), 30_000, 4_000);
  world.shake('media/studio', right, many('Serving', 17), 30_000, 276_000);
  world.shake('media/studio', right, many('Failing SessionManagerDown', 6), 2_000, 251_000);
  world.shake('media/studio', fresh, many('Serving', 9), 30_000, 6_000);

  const portrait = ['portraits-mcp-6f7d5-aa1bb', 'portraits-mcp-6f7d5-cc2dd'];
  const broken = {
    ...{ name: portrait[1]!, verdict: 'Failing' as const, diagnosis: 'SessionManagerDown' },
    message: 'POST /mcp/v1 answered HTTP 500: Task group is not initialized',
  };
  world.put(
    'media/portraits',
    statusOf('media/portraits', [{ name: portrait[0]!, verdict: 'Serving' }, broken], {
      repairsTotal: 1,
      repairs: [repairOf(portrait[1]!, '', 2, false)],
      remediation: { incident: iso(14), recent: [iso(2)] },
    }),
  );
  world.shake('media/portraits', portrait[0]!, many('Serving', 30));
  world.shake('media/portraits', portrait[1]!, many('Serving', 24), 30_000, 20_000);
  world.shake('media/portraits', portrait[1]!, many('Failing SessionManagerDown', 6), 2_000);

  const catalogue = 'catalogue-mcp-7b9c4-p0p1p';
  const hung = 'the process accepts connections and answers nothing within 3 s';
  world.put(
    'shop/catalogue',
    statusOf(
      'shop/catalogue',
      [{ name: catalogue, verdict: 'Unreachable', diagnosis: 'ProcessHung', message: hung }],
      {
        repairsTotal: 5,
        remediation: { exhaustedSince: iso(900), exhaustedReason: 'BudgetSpent', incident: iso(2400) },
      },
      [
        condition('Degraded', 'True', 'RemediationExhausted', `${catalogue}: ProcessHung: ${hung}`, 2400),
        condition(
          ...(['RemediationExhausted', 'True', 'BudgetSpent'] as const),
          'repairs did not help and the budget is spent: look at status.repairs, then change the spec or give the annotation klingapi.dev/repair a new value',
          900,
        ),
      ],
    ),
  );
  world.shake('shop/catalogue', catalogue, many('Unreachable ProcessHung', 30));

  const banner = 'banners-mcp-84fd6-z9y8x';
  world.put('shop/banners', statusOf('shop/banners', [{ name: banner, verdict: 'Serving' }], {}, []), { paused: true });
  world.shake('shop/banners', banner, many('Serving', 30));

  const python = 'python-mcp-55c6b-h3h3h';
  world.put('lab/python', statusOf('lab/python', [{ name: python, verdict: 'AuthRequired' }], { repairsTotal: 2 }));
  world.shake('lab/python', python, [...many('Serving', 12), ...many('AuthRequired', 14)]);

  world.put('lab/fresh', {});
}
