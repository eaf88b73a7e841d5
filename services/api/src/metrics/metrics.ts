import { Gauge, type Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { type MoneyMetrics, registerMoney } from './money.ts';
import { type StoredGauges, watchStored } from './stored.ts';
import { registerUpstream, type UpstreamMetrics } from './upstream.ts';
import { registerWork, type WorkMetrics } from './work.ts';

export interface ApiMetrics extends UpstreamMetrics, WorkMetrics, MoneyMetrics {
  /** Tells of the stored tasks whenever it is scraped. */
  watchStore(store: StoredGauges, now: () => number): void;
}

export function registerMetrics(registry: Registry): ApiMetrics {
  new Gauge({
    name: 'klingapi_build_info',
    help: 'Always 1; the labels tell what runs',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version: packageJson.version, node: process.version }, 1);
  return {
    ...registerUpstream(registry),
    ...registerWork(registry),
    ...registerMoney(registry),
    watchStore: (store, now) => watchStored(registry, store, now),
  };
}
