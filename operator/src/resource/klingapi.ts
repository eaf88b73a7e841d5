/** The whole object, parsed once where it enters the operator. */
import { z } from 'zod';
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';

export const GROUP = 'klingapi.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'KlingApi';
export const PLURAL = 'klingapis';
/** A new value of this annotation asks for one repair now. */
export const REPAIR_ANNOTATION = `${GROUP}/repair`;

const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  generation: z.number().default(1),
  resourceVersion: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
  deletionTimestamp: z.union([z.string(), z.date()]).optional(),
});

export const klingApiSchema = z.object({
  metadata,
  spec: specSchema,
  status: statusSchema.optional(),
});

export type KlingApi = z.output<typeof klingApiSchema>;
