import { h, put } from '@klingapi/page/browser';
import { post } from '../api.ts';
import type { KindOfTask } from '../catalogue.ts';
import { words } from '../words.ts';
import { forEstimate, valueAt } from './request.ts';

/** How long nobody types before the price is asked. */
const QUIET_MS = 350;

export interface EstimateReply {
  readonly errors: readonly { field: string; problem: string; hint: string }[];
  readonly estimate?: { units: number; usd: number; basis: string; per?: string };
}

interface FormParts {
  readonly kind: () => KindOfTask | undefined;
  read(): Record<string, unknown>;
  showError(path: readonly string[], text: string): HTMLElement | undefined;
  clearErrors(only: ReadonlySet<string>): void;
}

/** What the request in the form would cost, and at its fields why it could not succeed. */
export function priceTag({ kind, read, showError, clearErrors }: FormParts) {
  const element = h('p', { class: 'price' });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;
  // Of the estimate before; errors of others are not its to clear.
  let told: ReadonlySet<string> = new Set();

  const forget = (): void => {
    clearTimeout(timer);
    asking?.abort();
  };
  const ask = async (): Promise<void> => {
    const chosen = kind();
    if (chosen === undefined) return;
    asking = new AbortController();
    const { signal } = asking;
    const request = read();
    const whole = forEstimate(request, chosen.example);
    // A price that cannot be told now is no reason to disturb anybody.
    const reply = await post<EstimateReply>(
      '/api/estimate',
      { kind: chosen.kind, request: whole },
      { signal, by: 'page' },
    ).catch(() => undefined);
    if (reply === undefined || signal.aborted) return;
    clearErrors(told);
    const telling = new Set<string>();
    for (const { field, problem, hint } of reply.errors) {
      const path = field.split('.');
      // What is still empty is not wrong yet.
      if (valueAt(request, path) === undefined) continue;
      const text = [problem, hint].filter((part) => !part.startsWith('see /docs')).join(': ');
      showError(path, text);
      telling.add(text);
    }
    told = telling;
    put(element, priceOf(reply));
    element.title = reply.estimate?.basis ?? '';
  };
  return {
    element,
    forget,
    ask(): void {
      forget();
      timer = setTimeout(() => void ask(), QUIET_MS);
    },
  };
}

function priceOf({ estimate, errors }: EstimateReply): string {
  if (estimate === undefined) return errors.length > 0 ? words.priceLater : words.priceUnknown;
  const { units, usd, per } = estimate;
  return per === undefined ? words.price(units, usd) : words.pricePer(units, usd, per);
}
