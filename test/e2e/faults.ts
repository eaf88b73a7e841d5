/** Faults from outside: none of them is in a production image. */
import { containerPid } from '../cluster/index.ts';
import type { Case } from './case.ts';
import type { Json } from './kubectl.ts';

export type ServerFault = 'session-manager' | '500' | 'garbage' | 'empty' | 'never-ending' | 'crash';

/** The image that wraps the production bundle so that a file can break it. */
export const FAULTY_IMAGE = 'localhost/kling-test-mcp-faults:dev';
export const PYTHON_IMAGE = 'localhost/kling-test-python:dev';

/** The spec of an MCP workload whose pods can be broken by `breakPod`. */
export const faulty = { image: FAULTY_IMAGE, server: 'Kling' } as const;

/** From now on every MCP request to this pod fails in the given way. */
export const breakPod = (kase: Case, pod: Json, fault: ServerFault): Promise<string> =>
  kase.exec(pod.metadata.name, `require('node:fs').writeFileSync('/tmp/fault', ${JSON.stringify(fault)})`);

const signal = async (kase: Case, pod: Json, name: NodeJS.Signals): Promise<void> => {
  process.kill(await containerPid({ namespace: kase.namespace, pod: pod.metadata.name, container: 'mcp' }), name);
};

/** Stops the process of a pod's container from the host: it keeps its sockets and answers nothing. */
export const hang = (kase: Case, pod: Json): Promise<void> => signal(kase, pod, 'SIGSTOP');

/** Lets a process that was stopped go on. */
export const resume = (kase: Case, pod: Json): Promise<void> => signal(kase, pod, 'SIGCONT');

/** Ends the process of a pod's container from the host. */
export const crash = (kase: Case, pod: Json): Promise<void> => signal(kase, pod, 'SIGKILL');
