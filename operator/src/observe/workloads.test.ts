import type { V1StatefulSet } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { workloadState } from './workloads.ts';

const api = (status: Partial<V1StatefulSet['status']>): V1StatefulSet =>
  ({
    metadata: { generation: 2 },
    spec: { replicas: 1 },
    status: { replicas: 1, readyReplicas: 1, ...status },
  }) as V1StatefulSet;

it.each([
  ['is not there yet', undefined, true],
  ['was changed, and nobody has looked at that yet', api({ observedGeneration: 1, updatedReplicas: 1 }), true],
  ['runs the pod of the template before', api({ observedGeneration: 2, updatedReplicas: 0 }), true],
  ['has one pod of the newest template', api({ observedGeneration: 2, updatedReplicas: 1 }), false],
  ['has another pod beside it', api({ observedGeneration: 2, updatedReplicas: 1, replicas: 2 }), true],
])('an API that %s', (_, live, rollingOut) => {
  expect(workloadState({ mcp: undefined, api: live, sandbox: undefined }).api.rollingOut).toBe(rollingOut);
});
