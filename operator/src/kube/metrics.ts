/** The machinery's metrics, under the names of controller-runtime so that its dashboards work. */
import type { Registry } from 'prom-client';

export interface QueueMetrics {
  depth(priority: 'high' | 'low', value: number): void;
  added(): void;
  retried(): void;
  waited(seconds: number): void;
  worked(seconds: number): void;
  /** @param startedAt reads how long each running key has been worked on, in seconds */
  observeRunning(runningSeconds: () => readonly number[]): void;
}

export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

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
}

export interface KubeMetrics {
  /** @param code HTTP status, or `<error>` where there was no answer */
  restRequest(request: { code: string; method: string; host: string; seconds: number }): void;
  queue(controller: string): QueueMetrics;
  controller(controller: string): ControllerMetrics;
  reflector(kind: string): ReflectorMetrics;
  leader(name: string, leading: boolean): void;
}

export declare function createKubeMetrics(registry: Registry): KubeMetrics;
