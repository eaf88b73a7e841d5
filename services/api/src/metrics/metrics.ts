import type { Registry } from 'prom-client';
import { type MoneyMetrics, registerMoney } from './money.ts';
import { type StoredGauges, watchStored } from './stored.ts';
import { registerUpstream, type UpstreamMetrics } from './upstream.ts';
import { registerWork, type WorkMetrics } from './work.ts';

export interface ApiMetrics extends UpstreamMetrics, WorkMetrics, MoneyMetrics {
  /** Tells of the stored tasks whenever it is scraped. */
  watchStore(store: StoredGauges, now: () => number): void;
}

export function registerMetrics(registry: Registry): ApiMetrics {
  return {
    ...registerUpstream(registry),
    ...registerWork(registry),
    ...registerMoney(registry),
    watchStore: (store, now) => watchStored(registry, store, now),
  };
}
