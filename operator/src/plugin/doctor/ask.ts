/** What is asked of the pods themselves, through the API server. */
import { type HandshakeResult, handshake, type ProbeReport, probeReportSchema } from '@klingapi/probe';
import type { V1Pod } from '@kubernetes/client-node';
import { readJson } from '../../body.ts';
import { handshakeEras, mcpServer } from '../../resource/absent.ts';
import { API_PORT, childNames, MANAGEMENT_PORT, serviceHost } from '../../resource/names.ts';
import { type Forward, type ForwardFailure, throughForward } from '../cluster/forward.ts';
import type { Listed } from '../cluster/klingapis.ts';
import type { Kube } from '../cluster/kubeconfig.ts';
import { failed, type Seen, seen } from '../cluster/seen.ts';
import { within } from '../cluster/wait.ts';
import type { ApiHealth, PodHandshake } from './facts.ts';

const REPORT_BYTES = 256 * 1024;
/** The API server is between, and it may be far. */
const EXTRA_MS = 3_000;

const troubleOf = (failure: ForwardFailure): Seen<never> =>
  'right' in failure ? { kind: 'Refused', right: failure.right } : failed(failure.message);

/** What the port-forward says goes before what its client saw: to that a refused connection is one that was closed. */
function corrected(result: HandshakeResult, forward: Forward): HandshakeResult | Seen<never> {
  const failure = forward.failure();
  if (failure === undefined || result.verdict === 'Serving') return result;
  if ('message' in failure && /connection refused/i.test(failure.message))
    return {
      ...result,
      verdict: 'Unreachable',
      diagnosis: 'ConnectionRefused',
      message: 'nothing listens on the MCP port of the pod',
    };
  return troubleOf(failure);
}

function ask(kube: Kube, klingApi: Listed, pod: string, headers: Record<string, string>) {
  const { name, namespace } = klingApi.metadata;
  const { port, path, handshake: policy } = klingApi.spec.mcp;
  return throughForward(kube, { namespace, pod, port }, async (forward) =>
    corrected(
      await handshake({
        url: `http://127.0.0.1:${forward.port}${path}`,
        hostHeader: `${serviceHost(childNames(name).mcp, namespace)}:${port}`,
        headers,
        // without a key only the legacy opening tells a closed door from a broken server
        eras: handshakeEras(klingApi.spec),
        timeoutMs: policy.timeoutSeconds * 1_000 + EXTRA_MS,
        signal: kube.signal,
      }),
      forward,
    ),
  );
}

/** The pod does a handshake with itself when `/readyz` is asked, and needs no key for it. */
function askPod(kube: Kube, namespace: string, pod: string, timeoutMs: number): Promise<ProbeReport | undefined> {
  return throughForward(kube, { namespace, pod, port: MANAGEMENT_PORT }, async ({ port }) => {
    try {
      const reply = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: within(kube, timeoutMs) });
      return probeReportSchema.safeParse(await readJson(reply, REPORT_BYTES)).data;
    } catch {
      return undefined;
    }
  });
}

export async function askForHandshake(
  kube: Kube,
  klingApi: Listed,
  pod: V1Pod,
  headers: Record<string, string>,
): Promise<PodHandshake> {
  const name = pod.metadata?.name ?? '';
  const timeoutMs = klingApi.spec.mcp.handshake.timeoutSeconds * 1_000 + EXTRA_MS;
  const isOurs =
    mcpServer(klingApi.spec) === 'Kling' || pod.spec?.containers.some((container) => container.name === 'probe');
  const [own, report] = await Promise.all([
    ask(kube, klingApi, name, headers),
    isOurs ? askPod(kube, klingApi.metadata.namespace, name, timeoutMs) : undefined,
  ]);
  return 'kind' in own
    ? { pod: name, own: undefined, report, trouble: own }
    : { pod: name, own, report, trouble: undefined };
}

export function askForHealth(kube: Kube, namespace: string, pod: V1Pod): Promise<Seen<ApiHealth>> {
  const name = pod.metadata?.name ?? '';
  return throughForward(kube, { namespace, pod: name, port: API_PORT }, async (forward): Promise<Seen<ApiHealth>> => {
    try {
      const reply = await fetch(`http://127.0.0.1:${forward.port}/api/health`, {
        signal: within(kube, 5_000 + EXTRA_MS),
      });
      await reply.body?.cancel();
      return seen({ pod: name, ok: reply.ok, message: `GET /api/health answered HTTP ${reply.status}` });
    } catch (error) {
      const failure = forward.failure();
      if (failure !== undefined && 'right' in failure) return troubleOf(failure);
      const message =
        failure?.message ??
        (error instanceof Error && error.name === 'TimeoutError' ? 'no answer in time' : 'the connection broke off');
      return seen({ pod: name, ok: false, message });
    }
  });
}
