/** The ways the demo breaks an MCP server. All of them come from outside or from a test-only image around the same bundle. */
import type { Case } from '../e2e/case.ts';
import { breakPod, crash, faulty, hang, PYTHON_IMAGE } from '../e2e/faults.ts';
import type { Json } from '../e2e/kubectl.ts';
import { killSessionManager } from '../images/python/kill.ts';

export interface Fault {
  /** What happens, in one sentence. */
  story: string;
  /** What goes into spec.mcp so that it can happen. */
  mcp: Record<string, unknown>;
  /** Whose tools a client finds. */
  server: 'Kling' | 'Python';
  /** Whether the operator repairs it; a crash is the kubelet's. */
  repairedBy: 'operator' | 'kubelet';
  inject(kase: Pick<Case, 'exec' | 'namespace'>, pod: Json): Promise<unknown>;
}

const wrapped = (story: string, fault: Parameters<typeof breakPod>[2]): Fault => ({
  story,
  mcp: faulty,
  server: 'Kling',
  repairedBy: 'operator',
  inject: (kase, pod) => breakPod(kase as Case, pod, fault),
});

export const FAULTS: Record<string, Fault> = {
  'session-manager': wrapped(
    'The session manager dies: every MCP request is HTTP 500 "Task group is not initialized", as in July 2025',
    'session-manager',
  ),
  '500': wrapped('Every MCP request is HTTP 500', '500'),
  garbage: wrapped('The MCP endpoint answers HTTP 200 with garbage', 'garbage'),
  crash: {
    story:
      'The MCP process is killed (SIGKILL from the host): the kubelet restarts the container, and the operator keeps its hands off',
    mcp: {},
    server: 'Kling',
    repairedBy: 'kubelet',
    inject: (kase, pod) => crash(kase as Case, pod),
  },
  hung: {
    story: 'The MCP process hangs (SIGSTOP from the host): the port accepts, nothing answers',
    mcp: {},
    server: 'Kling',
    repairedBy: 'operator',
    inject: (kase, pod) => hang(kase as Case, pod),
  },
  python: {
    story:
      'The original software for real, FastMCP 2.5.1: one unlucky request kills its session manager, /health stays green',
    // it keeps sessions in its memory, so one pod, as in the original
    mcp: { image: PYTHON_IMAGE, replicas: 1 },
    server: 'Python',
    repairedBy: 'operator',
    inject: (_, pod) => killSessionManager(`http://${pod.status.podIP}:5510/mcp/v1`),
  },
};
