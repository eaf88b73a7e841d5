/**
 * Tells of a KlingApi that cannot be read. Nobody looks after it, and what was last said of it stands there for ever: so Accepted
 * and Ready say it, beside the rest of the status, which is kept for the day when it can be read again.
 */
import { z } from 'zod';
import type { KubeClient } from './kube/client.ts';
import type { EventRecorder } from './kube/events.ts';
import type { KubeLog } from './kube/log.ts';
import type { OperatorMetrics } from './metrics.ts';
import type { UnreadableError } from './readable.ts';
import { API_VERSION, KIND } from './resource/klingapi.ts';

/** Another than that of the whole status: an apply of the same would take all the rest away. */
const FIELD_MANAGER = 'kling-operator-unreadable';
const REASON = 'Unreadable';

/** As much as any object has. */
const objectSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    generation: z.number().default(1),
    deletionTimestamp: z.unknown().optional(),
  }),
  status: z
    .object({
      conditions: z.array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() })),
    })
    .optional()
    .catch(undefined),
});

export interface UnreadableDeps {
  client: Pick<KubeClient, 'apply'>;
  recorder: Pick<EventRecorder, 'event'>;
  metrics: Pick<OperatorMetrics, 'unreadable'>;
  log: KubeLog;
  now: () => number;
}

export async function tellUnreadable({ object, message }: UnreadableError, deps: UnreadableDeps): Promise<void> {
  const { metadata, status } = objectSchema.parse(object);
  const { name, namespace, uid, generation, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return;
  deps.log.error({ namespace, name, problem: message }, 'A KlingApi cannot be read');
  deps.metrics.unreadable(namespace, name);
  const regarding = { apiVersion: API_VERSION, kind: KIND, namespace, name, uid };
  deps.recorder.event({ regarding, type: 'Warning', reason: REASON, action: 'Read', note: message });
  const conditions = ['Accepted', 'Ready'].map((type) => {
    const before = status?.conditions.find((entry) => entry.type === type);
    const since = before?.status === 'False' ? before.lastTransitionTime : new Date(deps.now()).toISOString();
    return {
      ...{ type, status: 'False', reason: REASON, message },
      ...{ lastTransitionTime: since, observedGeneration: generation },
    };
  });
  await deps.client.apply(
    { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace, uid }, status: { conditions } },
    { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' },
  );
}
