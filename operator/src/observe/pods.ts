import {
  type HandshakeOptions,
  type HandshakeResult,
  isReady,
  type ProbeReport,
  probeReportSchema,
} from '@klingapi/probe';
import type { V1Pod } from '@kubernetes/client-node';
import { readJson } from '../body.ts';
import { NO_HANDSHAKES, type OwnHandshakes, observePod, type PodObservation } from '../remediation/observation.ts';
import { handshakeEras } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { childNames, MANAGEMENT_PORT, serviceHost } from '../resource/names.ts';
import { isStale, type ReceivedReport, receive } from './report-time.ts';

/** Without anything new, a pod is looked at so often. */
const SLOW_MS = 30_000;
/** A pod that fails, or that the kubelet finds not ready, is looked at again after so long. */
const FAST_MS = 2_000;
/** For so long after one pod began to fail its siblings are looked at as often: how many fail together decides what is done. */
const ALARM_MS = 60_000;
const REPORT_TIMEOUT_MS = 2_000;
const REPORT_BYTES = 256 * 1024;

export interface ObserverTools {
  handshake: (options: HandshakeOptions) => Promise<HandshakeResult>;
  fetch: typeof fetch;
  now: () => number;
  onHandshake?: (klingApi: KlingApi, result: HandshakeResult) => void;
  /** After each look that asked anything: the operator's handshake, and the pod's own report where it counts. */
  onLook?: (
    klingApi: KlingApi,
    pod: { name: string; uid: string },
    own: HandshakeResult,
    probe: ProbeReport | null,
  ) => void;
}

export interface PodObserver {
  observe(klingApi: KlingApi, pods: V1Pod[], headers: Record<string, string>): Promise<PodObservation[]>;
  /** One more handshake right before something is done about a pod. @returns whether it still fails */
  stillFails(klingApi: KlingApi, podIP: string, headers: Record<string, string>): Promise<boolean>;
  forget(uid: string): void;
}

interface Memory {
  owner: string;
  own: OwnHandshakes;
  probe: ProbeReport | null;
  /** The report that came last, also where it is too old by now. */
  received: ReceivedReport | null;
  /** Ready as the kubelet had it at the last handshake. */
  ready: boolean;
  /** Start of the container that all of this is about. */
  startedAt: number | null;
  /** Last good handshake with it, and with the container before it. */
  served: { now: number | null; before: number | null };
}

const failed = (verdict: string | undefined): boolean => verdict === 'Failing' || verdict === 'Unreachable';

export function createPodObserver(tools: ObserverTools): PodObserver {
  const memory = new Map<string, Memory>();

  /** The pod's own newest report, as it came; null where none comes. */
  async function report(address: string): Promise<ProbeReport | null> {
    try {
      const reply = await tools.fetch(`http://${host(address)}:${MANAGEMENT_PORT}/handshake`, {
        signal: AbortSignal.timeout(REPORT_TIMEOUT_MS),
        redirect: 'error',
      });
      const body = await readJson(reply, REPORT_BYTES);
      if (!reply.ok) return null;
      return probeReportSchema.parse(body);
    } catch {
      return null;
    }
  }

  function shake(klingApi: KlingApi, podIP: string, headers: Record<string, string>): Promise<HandshakeResult> {
    const { namespace, name } = klingApi.metadata;
    const { mcp } = klingApi.spec;
    return tools.handshake({
      url: `http://${host(podIP)}:${mcp.port}${mcp.path}`,
      // the pod's address is on no server's list of hosts
      hostHeader: `${serviceHost(childNames(name).mcp, namespace)}:${mcp.port}`,
      headers,
      eras: handshakeEras(klingApi.spec),
      timeoutMs: mcp.handshake.timeoutSeconds * 1_000,
    });
  }

  async function look(
    klingApi: KlingApi,
    pod: V1Pod,
    headers: Record<string, string>,
    alarm: boolean,
  ): Promise<PodObservation> {
    const uid = pod.metadata?.uid ?? '';
    const startedAt = observePod(pod, 'mcp', null, NO_HANDSHAKES).container.startedAt;
    const before = memory.get(uid);
    // what an earlier process of this pod did says nothing of the new one
    const known =
      before?.startedAt === startedAt
        ? before
        : {
            owner: klingApi.metadata.uid,
            own: NO_HANDSHAKES,
            probe: null,
            received: null,
            ready: false,
            startedAt,
            served: { now: null, before: before?.served.now ?? before?.served.before ?? null },
          };
    memory.set(uid, known);
    const seen = {
      ...observePod(pod, 'mcp', known.probe, known.own),
      servedAt: known.served.now,
      servedBefore: known.served.before,
    };
    if (seen.deleting || seen.podIP === null || seen.container.state !== 'Running') return seen;

    const age = known.own.at === null ? Number.POSITIVE_INFINITY : tools.now() - known.own.at;
    const troubled = alarm || !seen.ready.value || failed(known.own.last?.verdict) || failed(known.probe?.verdict);
    if (age < (troubled ? FAST_MS : SLOW_MS) && known.ready === seen.ready.value) return seen;

    const [raw, last] = await Promise.all([report(seen.podIP), shake(klingApi, seen.podIP, headers)]);
    tools.onHandshake?.(klingApi, last);
    const at = tools.now();
    const { periodSeconds, timeoutSeconds } = klingApi.spec.mcp.handshake;
    const received = raw === null ? known.received : receive(raw, known.received, at);
    const current =
      raw !== null && received !== null && !isStale(received, (3 * periodSeconds + timeoutSeconds) * 1_000, at);
    const probe = current ? received.report : null;
    tools.onLook?.(klingApi, { name: seen.name, uid }, last, probe);
    const own: OwnHandshakes = failed(last.verdict)
      ? { last, at, failures: known.own.failures + 1, failingSince: known.own.failingSince ?? at }
      : { last, at, failures: 0, failingSince: null };
    const served = isReady(last.verdict) ? { ...known.served, now: at } : known.served;
    memory.set(uid, { ...known, own, probe, received, ready: seen.ready.value, served });
    return { ...seen, probe, own, servedAt: served.now };
  }

  return {
    async observe(klingApi, pods, headers) {
      const present = new Set(pods.map((pod) => pod.metadata?.uid ?? ''));
      for (const [uid, entry] of memory)
        if (entry.owner === klingApi.metadata.uid && !present.has(uid)) memory.delete(uid);
      const now = tools.now();
      const alarm = [...memory.values()].some(
        ({ owner, own }) =>
          owner === klingApi.metadata.uid && own.failingSince !== null && now - own.failingSince < ALARM_MS,
      );
      return Promise.all(pods.map((pod) => look(klingApi, pod, headers, alarm)));
    },
    async stillFails(klingApi, podIP, headers) {
      return failed((await shake(klingApi, podIP, headers)).verdict);
    },
    forget(owner) {
      for (const [uid, entry] of memory) if (entry.owner === owner) memory.delete(uid);
    },
  };
}

const host = (address: string): string => (address.includes(':') ? `[${address}]` : address);
