import { type Kind, UNIT_USD } from '@klingapi/kling';
import { Counter, Histogram, type Registry } from 'prom-client';
import { packOf } from '../catalogue/packs.ts';
import type { Task } from '../tasks/task.ts';

/** What things are paid with. */
export type Pack = keyof typeof UNIT_USD;

export interface MoneyMetrics {
  /** A task was stored, or a call that costs was made. */
  onEstimated(pack: Pack, units: number): void;
  /** Told once for each task. */
  onEnded(task: Task): void;
  /** A call that makes no task was paid. */
  onCharged(pack: Pack, units: number): void;
}

const PACKS: readonly Pack[] = ['video', 'image'];
const CURRENCY = 'usd';

/**
 * Counters of this process, from its start on: `increase()` over them is right
 * across restarts and sums up over replicas, except for what was paid between
 * the last scrape and a crash. What has to be exact is in `GET /api/usage/callers`,
 * which reads the tasks themselves.
 */
export function registerMoney(registry: Registry): MoneyMetrics {
  const registers = [registry];
  const estimated = new Counter({
    name: 'klingapi_estimated_units_total',
    help: 'Units that stored tasks and calls will probably cost, by the pack they are taken from; since the start of this process',
    labelNames: ['pack'],
    registers,
  });
  const charged = new Counter({
    name: 'klingapi_charged_units_total',
    help: 'Units that Kling took, by the pack; since the start of this process, exact sums are in GET /api/usage/callers',
    labelNames: ['pack'],
    registers,
  });
  const price = new Counter({
    name: 'klingapi_charged_list_price_total',
    help: 'The charged units at the list price of Kling, by pack and currency',
    labelNames: ['pack', 'currency'],
    registers,
  });
  const ended = new Counter({
    name: 'klingapi_tasks_ended_total',
    help: 'Tasks that ended, by kind and state',
    labelNames: ['kind', 'state'],
    registers,
  });
  const duration = new Histogram({
    name: 'klingapi_task_duration_seconds',
    help: 'Time from the create of a task to its end, time in the queue included',
    labelNames: ['kind'],
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 7200, 86_400],
    registers,
  });
  for (const pack of PACKS) {
    estimated.inc({ pack }, 0);
    charged.inc({ pack }, 0);
    price.inc({ pack, currency: CURRENCY }, 0);
  }

  const onCharged = (pack: Pack, units: number): void => {
    charged.inc({ pack }, units);
    price.inc({ pack, currency: CURRENCY }, units * UNIT_USD[pack]);
  };
  return {
    onEstimated: (pack, units) => estimated.inc({ pack }, units),
    onCharged,
    onEnded({ kind, state, units, createdAt, updatedAt }) {
      ended.inc({ kind, state });
      duration.observe({ kind }, Math.max(0, updatedAt - createdAt) / 1000);
      if (units !== null && units > 0) onCharged(packOf(kind satisfies Kind), units);
    },
  };
}
