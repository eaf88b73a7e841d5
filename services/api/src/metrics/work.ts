import { Counter, Gauge, type Registry } from 'prom-client';
import { LOAD_CLASSES, type Load, SHED_REASONS, type ShedReason } from '../load/load.ts';
import { isOutage } from '../storage/outage.ts';

export interface WorkMetrics {
  watchLoad(load: Load): void;
  onShed(reason: ShedReason): void;
  /** Kling was asked about a task. */
  onPoll(outcome: 'found' | 'missing' | 'failed'): void;
  /** A message of Kling came. */
  onCallbackReceived(outcome: 'accepted' | 'repeated' | 'refused' | 'unreadable'): void;
  /** A message to a caller was tried. */
  onCallbackSent(outcome: 'delivered' | 'failed' | 'given_up'): void;
  onCopy(outcome: { readonly bytes: number } | 'failed' | 'lost'): void;
  onStorageError(error: unknown): void;
}

/** What this process does, and what it refuses to do. */
export function registerWork(registry: Registry): WorkMetrics {
  const registers = [registry];
  const counter = (name: string, help: string, label: 'reason' | 'outcome', values: readonly string[]) => {
    const made = new Counter<string>({ name, help, labelNames: [label], registers });
    // From zero on, so that the first failure is an increase.
    for (const value of values) made.inc({ [label]: value }, 0);
    return (value: string) => made.inc({ [label]: value });
  };
  const shed = counter(
    'klingapi_requests_shed_total',
    'Requests refused with 503 because this process had too much to do, by what was too much',
    'reason',
    SHED_REASONS,
  );
  const polled = counter('klingapi_polls_total', 'Tasks that Kling was asked about, by the answer', 'outcome', [
    'found',
    'missing',
    'failed',
  ]);
  const received = counter(
    'klingapi_callbacks_received_total',
    'Messages that came as callbacks of Kling; refused: signature or time is wrong',
    'outcome',
    ['accepted', 'repeated', 'refused', 'unreadable'],
  );
  const sent = counter(
    'klingapi_callbacks_sent_total',
    'Tries to tell a caller of a change of a task; given_up: the last one, which failed too',
    'outcome',
    ['delivered', 'failed', 'given_up'],
  );
  const copies = counter(
    'klingapi_result_copies_total',
    'Results copied from Kling; failed: to be tried again; lost: Kling has deleted it before there was a copy',
    'outcome',
    ['copied', 'failed', 'lost'],
  );
  const copied = new Counter({
    name: 'klingapi_result_copied_bytes_total',
    help: 'Bytes of copied results',
    registers,
  });
  const storage = counter(
    'klingapi_storage_errors_total',
    'Queries of the database that failed; timeout: it was ended for taking too long; unreachable: there was no connection',
    'reason',
    ['timeout', 'unreachable', 'other'],
  );

  return {
    onShed: shed,
    onPoll: polled,
    onCallbackReceived: received,
    onCallbackSent: sent,
    onCopy(outcome) {
      copies(typeof outcome === 'string' ? outcome : 'copied');
      if (typeof outcome !== 'string') copied.inc(outcome.bytes);
    },
    onStorageError: (error) => storage(isTimeout(error) ? 'timeout' : isOutage(error) ? 'unreachable' : 'other'),
    watchLoad(load) {
      new Gauge({
        name: 'klingapi_requests_in_flight',
        help: 'Requests that are open now; wait (long waits, event streams), file (files being sent) and callback (of Kling) have a bound of their own',
        labelNames: ['class'],
        registers,
        collect() {
          for (const kind of LOAD_CLASSES) this.set({ class: kind }, load.open(kind));
        },
      });
      new Gauge({
        name: 'klingapi_request_body_bytes_in_flight',
        help: 'Large bodies of requests that are in memory now',
        registers,
        collect() {
          this.set(load.bodyBytes());
        },
      });
    },
  };
}

/** Canceled by `statement_timeout`, or by the limit on idle transactions. Source: PostgreSQL, appendix on error codes. */
function isTimeout(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && (error.code === '57014' || error.code === '25P03' || error.code === 'SQLITE_BUSY'))
    return true;
  return /timeout exceeded when trying to connect|database is locked/.test(error.message);
}
