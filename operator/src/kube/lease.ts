/** The Lease object as the election needs it. */
import { z } from 'zod';
import type { CallOptions, KubeClient } from './client.ts';
import { isNotFound } from './errors.ts';

const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const leaseSchema = z.object({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  spec: z
    .object({
      holderIdentity: optional(z.string()),
      leaseDurationSeconds: optional(z.number()),
      acquireTime: optional(z.string()),
      renewTime: optional(z.string()),
      leaseTransitions: optional(z.number()),
    })
    .prefault({}),
});

export type Lease = z.output<typeof leaseSchema>;
export type LeaseSpec = Lease['spec'];

/** The API server refuses a time of a Lease or Event that has not exactly six decimals. @param ms since 1970 */
export const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

export interface LeaseStore {
  read(call: CallOptions): Promise<Lease | undefined>;
  /** @throws KubeError 409 where another was faster */
  create(spec: LeaseSpec, call: CallOptions): Promise<Lease>;
  /** @throws KubeError 409 where it is no longer what `from` was */
  replace(from: Lease, spec: LeaseSpec, call: CallOptions): Promise<Lease>;
}

export function createLeaseStore(
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>,
  { namespace, name }: { namespace: string; name: string },
): LeaseStore {
  const type = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  return {
    async read(call) {
      const found = await client
        .get({ ...type, namespace, name }, call)
        .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
      return found === undefined ? undefined : leaseSchema.parse(found);
    },
    create: async (spec, call) =>
      leaseSchema.parse(await client.create({ ...type, metadata: { namespace, name }, spec }, call)),
    replace: async (from, spec, call) =>
      leaseSchema.parse(await client.replace({ ...type, metadata: { ...from.metadata, namespace, name }, spec }, call)),
  };
}
