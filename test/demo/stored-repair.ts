/** One repair as it was seen, kept in docs/repair.yaml. */
import { z } from 'zod';

/** Seconds after the fault, on one line. */
const timesSchema = z.string().transform((text) =>
  text
    .split(' ')
    .filter((time) => time !== '')
    .map(Number),
);
/** When requests were answered and when they failed. */
const samplesSchema = z.object({ ok: timesSchema, failed: timesSchema });

export const storedRepairSchema = z.object({
  /** Day on which it was made. */
  date: z.string(),
  pods: z.number(),
  diagnosis: z.string(),
  message: z.string(),
  /** A plain health check of the broken pod, until it was deleted. */
  health: samplesSchema,
  /** MCP clients of the Service. */
  clients: samplesSchema,
  /** Steps of the record, in seconds after the fault. */
  steps: z.array(z.object({ name: z.string(), after: z.number(), detail: z.string().optional() })),
  /** Checks that passed, such as 3/3. */
  summary: z.string(),
});
export type StoredRepair = z.output<typeof storedRepairSchema>;
export type WrittenRepair = z.input<typeof storedRepairSchema>;
