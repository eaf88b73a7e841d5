import { ENDPOINTS, type Kind } from '@klingapi/kling';
import { z } from 'zod';
import { type State, stateSchema } from '../tasks/task.ts';

/** The words of both families for the states of a task. */
const STATES = {
  submitted: ['queued', 'submitting', 'submitted'],
  processing: ['processing'],
  succeed: ['succeeded'],
  succeeded: ['succeeded'],
  failed: ['failed'],
} as const satisfies Record<string, readonly State[]>;
const status = z.enum(['submitted', 'processing', 'succeed', 'succeeded', 'failed']);
const product = z.enum(['video', 'image', 'try_on']);

const MOST = 20;

/** `filters` of a list, as Kling has them: each has to fit, by any of its values. */
export const taskFilters = z
  .array(
    z.discriminatedUnion('key', [
      z.object({ key: z.literal('status'), values: z.array(status).min(1).max(MOST) }),
      z.object({ key: z.literal('product_type'), values: z.array(product).min(1).max(MOST) }),
    ]),
  )
  .max(MOST);
type TaskFilters = z.infer<typeof taskFilters>;

/** What of the kinds and states is left; undefined states are all. */
export function filtered(filters: TaskFilters, kinds: readonly Kind[]) {
  const states = new Set<State>(stateSchema.options);
  let left = [...kinds];
  for (const filter of filters) {
    if (filter.key === 'product_type') {
      const wanted = new Set<string>(filter.values);
      left = left.filter((kind) => wanted.has(productOf(kind)));
    } else {
      const wanted = new Set<State>(filter.values.flatMap((word) => STATES[word]));
      for (const state of states) if (!wanted.has(state)) states.delete(state);
    }
  }
  return { kinds: left, states: states.size === stateSchema.options.length ? undefined : [...states] };
}

function productOf(kind: Kind): string {
  if (kind === 'virtual-try-on' || kind === 'solution-try-on') return 'try_on';
  const { result } = ENDPOINTS[kind];
  return result === 'images' ? 'image' : result === 'videos' ? 'video' : result;
}
