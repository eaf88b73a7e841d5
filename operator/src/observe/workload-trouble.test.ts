import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { T0 } from '../testing.ts';
import { apiTrouble, refusalOf } from './workload-trouble.ts';

const failure = (message: string) => [{ type: 'ReplicaFailure', status: 'True', message }];

describe('pods that the API server does not take', () => {
  it.each([
    [
      'pods "studio-mcp-7d4f-x2x9q" is forbidden: exceeded quota: small, requested: requests.cpu=60, used: requests.cpu=1, limited: requests.cpu=50',
      'QuotaExceeded',
    ],
    [
      'pods "a-b" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
      'PodSecurityRefused',
    ],
    ['admission webhook "policy.example" denied the request: no', 'PodsRefused'],
  ])('%s', (message, reason) => {
    const found = refusalOf(failure(message));
    expect(found?.reason).toBe(reason);
    // else the status were written anew at each try
    expect(found?.message).not.toMatch(/pods "/);
  });

  it('are none where the workload says nothing', () => {
    expect(refusalOf(undefined)).toBeNull();
    expect(refusalOf([{ type: 'ReplicaFailure', status: 'False', message: 'x' }])).toBeNull();
    expect(refusalOf([{ type: 'Available', status: 'True', message: 'x' }])).toBeNull();
  });
});

const pod = (
  ageMs: number,
  state: object = { running: { startedAt: new Date(T0 - ageMs) } },
  more: object = {},
): V1Pod => ({
  metadata: { name: 'studio-api-0', creationTimestamp: new Date(T0 - ageMs), ...more },
  status: {
    containerStatuses: [{ name: 'api', image: 'a', imageID: 'a', ready: false, restartCount: 0, state }],
  },
});

describe('an API without a ready pod', () => {
  const hour = 3_600_000;
  const lost = { type: 'Ready', status: 'False', lastTransitionTime: new Date(T0 - 1_000) };
  it.each<[string, V1Pod[], number, string]>([
    ['was just made', [], T0 - 1_000, 'Starting'],
    ['is being rolled out', [pod(hour, undefined, { deletionTimestamp: new Date(T0) })], T0, 'Starting'],
    ['has had none for long', [], T0 - hour, 'ApiDown'],
    ['has one that starts', [pod(5_000)], T0 - hour, 'Starting'],
    ['has one that runs and is not ready', [pod(hour)], T0, 'ApiDown'],
    [
      'has one that was ready a moment ago',
      [{ ...pod(5_000), status: { ...pod(5_000).status, conditions: [lost] } }],
      T0,
      'ApiDown',
    ],
    ['has one without an image', [pod(5_000, { waiting: { reason: 'ErrImagePull' } })], T0, 'ImagePull'],
  ])('%s', (_, pods, since, reason) => {
    expect(apiTrouble(pods, null, since, T0).reason).toBe(reason);
  });

  it('has pods that are refused', () => {
    expect(apiTrouble([], refusalOf(failure('exceeded quota: small')), T0, T0).reason).toBe('QuotaExceeded');
  });
});
