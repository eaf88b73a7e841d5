/** `autoscaling` of both workloads. Without defaults: a stored one would stand beside what a later apply adds. */
import { z } from 'zod';
import { cel, int } from './bounds.ts';

export const autoscaling = z
  .object({
    min: int(1, 100).describe('Fewest pods'),
    max: int(1, 100).describe('Most pods'),
    cpuPercent: int(1, 1000).describe(
      'CPU that the pods use on average, in percent of what resources requests; the cluster has to measure it (metrics-server)',
    ),
  })
  .meta(cel({ rule: 'self.min <= self.max', message: 'min must not exceed max', fieldPath: '.min' }));

export type Autoscaling = z.output<typeof autoscaling>;
