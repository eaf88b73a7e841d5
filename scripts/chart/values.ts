/**
 * The values of the chart, described once. `values.yaml`, `values.schema.json` and the table of the chart's README are made from
 * this. It holds types, bounds and unknown names; what takes words to explain is checked by `templates/_checks.tpl`.
 */
import { z } from 'zod';
import { image, images } from './values/images.ts';
import { monitoring } from './values/monitoring.ts';
import { serviceName } from './values/names.ts';
import { networkPolicy, service } from './values/network.ts';
import { container, leaderElection, more, podDisruptionBudget, replicas, rollout, scheduling } from './values/pods.ts';
import { crds, rbac, scope, serviceAccount, watchNamespaces } from './values/rights.ts';
import { tests } from './values/tests.ts';
import { work } from './values/work.ts';

/** In the order in which people read them. */
export const valuesSchema = z.strictObject({
  image,
  images,
  scope,
  watchNamespaces,
  crds,
  rbac,
  serviceAccount,
  replicas,
  leaderElection,
  podDisruptionBudget,
  ...rollout,
  ...scheduling,
  ...work,
  ...container,
  service,
  networkPolicy,
  monitoring,
  tests,
  nameOverride: serviceName
    .default('')
    .describe("Instead of the chart's name in names and labels: small letters, digits and dashes, a letter first."),
  fullnameOverride: serviceName
    .default('')
    .describe('Instead of the name that is made from release and chart, written likewise.'),
  ...more,
});

export interface Value {
  readonly path: readonly string[];
  /** Absent for an object whose fields say it all. */
  readonly description?: string;
  /** Absent for an object with fields of its own. */
  readonly initial?: unknown;
}

/** Each value, and before the fields of an object the object itself. @throws Error that names a value without description or default */
export function valuesOf(schema: z.ZodObject = valuesSchema, above: readonly string[] = []): Value[] {
  return Object.entries(z.record(z.string(), z.instanceof(z.ZodType)).parse(schema.shape)).flatMap(([name, type]) => {
    const path = [...above, name];
    const { description } = type;
    if (type instanceof z.ZodObject)
      return [{ path, ...(description === undefined ? {} : { description }) }, ...valuesOf(type, path)];
    const parsed = type.safeParse(undefined);
    if (!parsed.success) throw new Error(`the value ${path.join('.')} has no default`);
    if (description === undefined) throw new Error(`the value ${path.join('.')} says nothing of itself`);
    return [{ path, description, initial: parsed.data }];
  });
}
