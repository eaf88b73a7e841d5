import { describe, expect, it } from 'vitest';
import { FIELD_MANAGER } from './applier.ts';
import { REPLICAS_MANAGER, replicasPlan } from './replicas.ts';

const live = (manager: string, replicas: number) => ({
  metadata: { managedFields: [{ manager, operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }] },
  spec: { replicas, selector: {}, template: {} },
});

describe('who owns the number of pods', () => {
  it.each([
    ['set: it is owned', 3, live(REPLICAS_MANAGER, 5), { apply: 3, handOver: undefined }],
    ['unset at creation: applied once', undefined, undefined, { apply: 2, handOver: undefined }],
    [
      'unset after creation: handed over with the live number',
      undefined,
      live(FIELD_MANAGER, 4),
      { apply: undefined, handOver: 4 },
    ],
    [
      'unset and handed over: left alone',
      undefined,
      live(REPLICAS_MANAGER, 4),
      { apply: undefined, handOver: undefined },
    ],
    [
      'unset and scaled by a person: left alone',
      undefined,
      live('kubectl', 7),
      { apply: undefined, handOver: undefined },
    ],
  ])('%s', (_, wanted, deployment, expected) => {
    expect(replicasPlan(wanted, deployment, 2)).toEqual(expected);
  });
});
