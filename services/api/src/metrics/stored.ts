import { ENDPOINTS, KINDS, MODELS } from '@klingapi/kling';
import { Gauge, type Registry } from 'prom-client';
import type { Overview, TaskTable } from '../storage/store.ts';
import { stateSchema } from '../tasks/task.ts';

export type StoredGauges = Pick<TaskTable, 'counts'> & Overview;

const UNFINISHED = ['queued', 'submitting', 'submitted', 'processing'] as const;
const WHOLE = 'of the whole store, the same on every replica: aggregate with max, not sum';

/** Models of each kind of result that are known; callers may name any other. */
const KNOWN_POOLS = new Set(
  KINDS.flatMap((kind) =>
    [kind, ...MODELS[kind].map(({ id }) => id)].map((name) => `${ENDPOINTS[kind].result}:${name}`),
  ),
);

export function watchStored(registry: Registry, store: StoredGauges, now: () => number): void {
  const registers = [registry];
  // Two series of one look: both ask within one scrape.
  let looking: ReturnType<StoredGauges['slots']> | undefined;
  const slotsNow = () => {
    looking ??= store.slots(now()).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  new Gauge({
    name: 'klingapi_tasks',
    help: `Stored tasks by state, queued being those that wait here for room; ${WHOLE}`,
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await store.counts();
      for (const state of stateSchema.options) this.set({ state }, counts[state] ?? 0);
    },
  });
  new Gauge({
    name: 'klingapi_oldest_task_age_seconds',
    help: `Age of the oldest task that has not ended, by state, 0 where there is none; ${WHOLE}`,
    labelNames: ['state'],
    registers,
    async collect() {
      const oldest = await store.oldest();
      for (const state of UNFINISHED) this.set({ state }, Math.max(0, now() - (oldest[state] ?? now())) / 1000);
    },
  });
  new Gauge({
    name: 'klingapi_slots_in_use',
    help: `Places at Kling that are taken, by kind of result and model, other for models not known here; ${WHOLE}`,
    labelNames: ['result', 'model'],
    registers,
    async collect() {
      const slots = await slotsNow();
      this.reset();
      for (const { pool, used } of slots) this.inc(labelsOf(pool), used);
    },
  });
  new Gauge({
    name: 'klingapi_slots_limit',
    help: `Places at Kling that there are, as configured or learnt from a refusal, absent while no limit is known; ${WHOLE}`,
    labelNames: ['result', 'model'],
    registers,
    async collect() {
      const slots = await slotsNow();
      this.reset();
      for (const { pool, limit } of slots) {
        if (limit !== null && KNOWN_POOLS.has(pool)) this.set(labelsOf(pool), limit);
      }
    },
  });
}

function labelsOf(pool: string): { result: string; model: string } {
  const at = pool.indexOf(':');
  return { result: pool.slice(0, at), model: KNOWN_POOLS.has(pool) ? pool.slice(at + 1) : 'other' };
}
