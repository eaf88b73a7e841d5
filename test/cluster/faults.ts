import { z } from 'zod';
import { cluster } from './choice.ts';
import { taskPid } from './containerd.ts';
import { kubectl } from './kubectl.ts';

export type ContainerAddress = { namespace: string; pod: string; container: string };

const podSchema = z.object({
  status: z.object({
    containerStatuses: z.array(z.object({ name: z.string(), containerID: z.string().optional() })).default([]),
  }),
});

/**
 * The host's pid of a container's first process, so that a test can stop or
 * kill it from outside (`process.kill(pid, 'SIGSTOP')`). Only on our own node.
 * @throws Error when the pod or the container does not run
 */
export async function containerPid({ namespace, pod, container }: ContainerAddress): Promise<number> {
  const text = await kubectl(await cluster().kubeconfigPath(), ['-n', namespace, 'get', 'pod', pod, '-o', 'json']);
  const found = podSchema.parse(JSON.parse(text)).status.containerStatuses.find(({ name }) => name === container);
  const id = found?.containerID?.replace(/^containerd:\/\//, '');
  if (!id) throw new Error(`Container ${container} of the pod ${namespace}/${pod} has not started`);
  return taskPid(id);
}
