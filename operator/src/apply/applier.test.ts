/** What the API server will refuse again is told, not tried for ever in silence. */
import { expect, it } from 'vitest';
import { service } from '../children/service.ts';
import { KubeError } from '../kube/errors.ts';
import { klingApiOf } from '../testing.ts';
import { createApplier } from './applier.ts';
import { StalledError } from './foreign.ts';

const klingApi = klingApiOf();
const applied = (status: number, code: KubeError['code'], message: string) => {
  const client = {
    get: async () => Promise.reject(new KubeError({ code: 'NotFound', status: 404, message: 'none' })),
    apply: async () => Promise.reject(new KubeError({ code, status, message })),
  };
  return createApplier(client).apply(service(klingApi, 'mcp'), undefined, klingApi.metadata);
};

it.each([
  [422, 'Invalid', 'spec.ports: Required value'],
  [403, 'Forbidden', 'exceeded quota'],
  [400, 'BadRequest', 'error decoding YAML: yaml: control characters are not allowed'],
  [
    500,
    'ServerError',
    'failed to create typed patch object (media/studio-mcp; apps/v1, Kind=Deployment): .spec.template.spec.volumes: duplicate entries for key [name="tmp"]',
  ],
] as const)('%i of the API server stalls', async (status, code, message) => {
  await expect(applied(status, code, message)).rejects.toThrow(StalledError);
});

it.each([
  [500, 'ServerError', 'failed calling webhook'],
  [403, 'Forbidden', 'unable to create new content in namespace media because it is being terminated'],
  [403, 'Forbidden', 'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for Kind KlingApi'],
  [409, 'Conflict', 'the object has been modified'],
] as const)('%i that may pass is tried again', async (status, code, message) => {
  await expect(applied(status, code, message)).rejects.toThrow(KubeError);
});
