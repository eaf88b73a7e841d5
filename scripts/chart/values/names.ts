/** What Kubernetes takes as names. Each may be empty, which leaves the choice to the chart. */
import { z } from 'zod';

/** Of most objects. */
export const objectName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$/);

/** Of a namespace. */
export const namespaceName = z
  .string()
  .max(63)
  .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/);

/** Of a Service too, which takes no digit first. */
export const serviceName = z
  .string()
  .max(63)
  .regex(/^([a-z]([-a-z0-9]*[a-z0-9])?)?$/);
