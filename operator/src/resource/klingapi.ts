/** The whole object, parsed once where it enters the operator. */
import { z } from 'zod';
import { specSchema } from './spec.ts';
import { type KlingApiStatus, statusSchema } from './status.ts';

export const GROUP = 'klingapi.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'KlingApi';
export const PLURAL = 'klingapis';
/** A new value of this annotation asks for one repair now. */
export const REPAIR_ANNOTATION = `${GROUP}/repair`;
/** A new value of this annotation asks for one verification now. */
export const VERIFY_ANNOTATION = `${GROUP}/verify`;

const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  generation: z.number().default(1),
  resourceVersion: z.string(),
  creationTimestamp: z.union([z.string(), z.date()]).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  deletionTimestamp: z.union([z.string(), z.date()]).optional(),
});

/**
 * A status of another version, or one that somebody edited, keeps what can be read: the budget of the repairs above all.
 * Refused as a whole, it could never be written anew, and its KlingApi would be left to itself.
 */
function salvaged(stored: unknown): KlingApiStatus {
  const fields = z.record(z.string(), z.unknown()).catch({}).parse(stored);
  const readable = (part: object): boolean => statusSchema.safeParse(part).success;
  const kept = Object.entries(fields).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.filter((entry) => readable({ [key]: [entry] })) : value,
  ]);
  return statusSchema.parse(Object.fromEntries(kept.filter(([key, value]) => readable({ [String(key)]: value }))));
}

export const klingApiSchema = z.object({
  metadata,
  spec: specSchema,
  status: statusSchema.optional().catch(({ value }) => salvaged(value)),
});

export type KlingApi = z.output<typeof klingApiSchema>;
