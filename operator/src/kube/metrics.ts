/** The machinery's metrics, under the names of controller-runtime so that its dashboards work. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface QueueMetrics {
  depth(priority: 'high' | 'low', value: number): void;
  added(): void;
  retried(): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
  /** @param runningSeconds reads how long each running key has been worked on */
  observeRunning(runningSeconds: () => readonly number[]): void;
}

const RECONCILE_RESULTS = ['success', 'error', 'requeue', 'requeue_after'] as const;
export type ReconcileResult = (typeof RECONCILE_RESULTS)[number];

export interface ControllerMetrics {
  reconciled(result: ReconcileResult, seconds: number): void;
  failed(kind: 'error' | 'terminal' | 'panic' | 'timeout'): void;
  workers(max: number): void;
  active(delta: 1 | -1): void;
}

export interface ReflectorMetrics {
  listed(seconds: number): void;
  watchEnded(reason: string): void;
  event(type: string): void;
  /** @param downSeconds reads how long there has been no watch; 0 while there is one */
  observeDown(downSeconds: () => number): void;
}

export interface KubeMetrics {
  /** @param code HTTP status, or `<error>` where there was no answer */
  restRequest(request: { code: string; method: string; host: string; seconds: number }): void;
  queue(controller: string): QueueMetrics;
  controller(controller: string): ControllerMetrics;
  /** @param namespace absent: all of them */
  reflector(kind: string, namespace?: string): ReflectorMetrics;
  leader(name: string, leading: boolean): void;
}

const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60];
const QUEUE_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
const CALL_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 60];

export function createKubeMetrics(registry: Registry): KubeMetrics {
  const registers = [registry];
  const rest = {
    total: counter('rest_client_requests_total', 'Calls to the API server, by answer', ['code', 'method', 'host']),
    seconds: histogram(
      'rest_client_request_duration_seconds',
      'Time to the answer of a call',
      ['verb', 'host'],
      CALL_SECONDS,
    ),
  };
  const reflectors = {
    lists: histogram('klingoperator_reflector_list_seconds', 'Time of a whole list', ['kind'], CALL_SECONDS),
    ended: counter('klingoperator_reflector_watches_ended_total', 'Watches that ended, by reason', ['kind', 'reason']),
    events: counter('klingoperator_reflector_events_total', 'Watch events, bookmarks included', ['kind', 'type']),
  };
  const downOf = new Map<string, { kind: string; namespace: string; downSeconds: () => number }>();
  const down = gauge(
    'klingoperator_reflector_down_seconds',
    'Time for which a cache has had no watch and may be out of date; 0 while it has one',
    // not `namespace`: Prometheus would keep this one instead of that of the operator's pod
    ['kind', 'watched_namespace'],
    () => {
      for (const { kind, namespace, downSeconds } of downOf.values())
        down.set({ kind, watched_namespace: namespace }, downSeconds());
    },
  );
  const leader = gauge('leader_election_master_status', '1 while this process holds the Lease, 0 while it stands by', [
    'name',
  ]);
  const queue = queueMetrics();
  const controller = controllerMetrics();

  return {
    restRequest({ code, method, host, seconds }) {
      rest.total.inc({ code, method, host });
      rest.seconds.observe({ verb: method, host }, seconds);
    },
    queue,
    controller,
    reflector: (kind, namespace = '') => ({
      listed: (seconds) => reflectors.lists.observe({ kind }, seconds),
      watchEnded: (reason) => reflectors.ended.inc({ kind, reason }),
      event: (type) => reflectors.events.inc({ kind, type }),
      observeDown: (downSeconds) =>
        void downOf.set(JSON.stringify([kind, namespace]), { kind, namespace, downSeconds }),
    }),
    leader: (name, leading) => leader.set({ name }, leading ? 1 : 0),
  };

  function counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers });
  }
  function histogram<L extends string>(name: string, help: string, labelNames: L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers });
  }
  function gauge<L extends string>(name: string, help: string, labelNames: L[], collect?: () => void): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers, ...(collect === undefined ? {} : { collect }) });
  }

  function queueMetrics(): KubeMetrics['queue'] {
    const labels: ('name' | 'controller')[] = ['name', 'controller'];
    const runningOf = new Map<string, () => readonly number[]>();
    const depth = gauge('workqueue_depth', 'Keys that wait', ['name', 'controller', 'priority']);
    const adds = counter('workqueue_adds_total', 'Keys that were added', labels);
    const retries = counter('workqueue_retries_total', 'Keys that were added again after a failure', labels);
    const waits = histogram('workqueue_queue_duration_seconds', 'Time a key waits', labels, QUEUE_SECONDS);
    const works = histogram('workqueue_work_duration_seconds', 'Time a key is worked on', labels, QUEUE_SECONDS);
    const unfinished = gauge(
      'workqueue_unfinished_work_seconds',
      'Time that the keys being worked on have taken so far, summed up',
      labels,
      () => {
        for (const [name, running] of runningOf)
          unfinished.set(
            { name, controller: name },
            running().reduce((sum, seconds) => sum + seconds, 0),
          );
      },
    );
    const longest = gauge(
      'workqueue_longest_running_processor_seconds',
      'Time that the longest running key has taken so far',
      labels,
      () => {
        for (const [name, running] of runningOf) longest.set({ name, controller: name }, Math.max(0, ...running()));
      },
    );
    return (name) => {
      const own = { name, controller: name };
      return {
        depth: (priority, value) => depth.set({ ...own, priority }, value),
        added: () => adds.inc(own),
        retried: () => retries.inc(own),
        waited: (seconds) => waits.observe(own, seconds),
        worked: (seconds) => works.observe(own, seconds),
        observeRunning: (runningSeconds) => {
          runningOf.set(name, runningSeconds);
        },
      };
    };
  }

  function controllerMetrics(): KubeMetrics['controller'] {
    const labels: 'controller'[] = ['controller'];
    const total = counter('controller_runtime_reconcile_total', 'Reconciles, by result', ['controller', 'result']);
    const seconds = histogram(
      'controller_runtime_reconcile_time_seconds',
      'Time of a reconcile',
      labels,
      RECONCILE_SECONDS,
    );
    const max = gauge('controller_runtime_max_concurrent_reconciles', 'Reconciles that may run at once', labels);
    const active = gauge('controller_runtime_active_workers', 'Reconciles that run', labels);
    const failures = {
      error: counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed', labels),
      terminal: counter('controller_runtime_terminal_reconcile_errors_total', 'Failures that no retry can end', labels),
      panic: counter(
        'controller_runtime_reconcile_panics_total',
        'Reconciles that ended in a mistake of the program',
        labels,
      ),
      timeout: counter('controller_runtime_reconcile_timeouts_total', 'Reconciles that took too long', labels),
    };
    return (name) => {
      const own = { controller: name };
      // a series that starts with its first failure hides that failure from rate()
      for (const failure of Object.values(failures)) failure.inc(own, 0);
      for (const result of RECONCILE_RESULTS) total.inc({ ...own, result }, 0);
      return {
        reconciled(result, took) {
          total.inc({ ...own, result });
          seconds.observe(own, took);
        },
        failed: (kind) => failures[kind].inc(own),
        workers: (value) => max.set(own, value),
        active: (delta) => active.inc(own, delta),
      };
    };
  }
}
