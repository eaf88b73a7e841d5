import { createHash } from 'node:crypto';
import type { V1Deployment } from '@kubernetes/client-node';

/** The name of one pod template: ten hexadecimal digits of its hash. */
export const revisionOf = (workload: V1Deployment): string =>
  createHash('sha256')
    .update(JSON.stringify(workload.spec?.template ?? {}))
    .digest('hex')
    .slice(0, 10);
