/** Events of `events.k8s.io/v1`: what people see under `kubectl describe`. Never in the way of the work. */
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import type { KubeLog } from './log.ts';

export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly uid: string;
}

export interface EventInput {
  readonly regarding: EventSubject;
  readonly related?: EventSubject | undefined;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** CamelCase: what was done. */
  readonly action: string;
  /** Cut at 1024 bytes, secrets taken out. */
  readonly note: string;
}

export interface EventRecorder {
  /** Returns at once; never throws. */
  event(input: EventInput): void;
  /** Waits until what was recorded so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Pick<KubeClient, 'apply'>;
  readonly clock: Clock;
  readonly log: KubeLog;
  /** e.g. `klingapi.dev/operator` */
  readonly reportingController: string;
  /** Name of the pod. */
  readonly reportingInstance: string;
  /** Takes secrets out of a note, on top of what is taken out anyway. */
  readonly redact?: ((note: string) => string) | undefined;
}

export declare function createEventRecorder(options: EventRecorderOptions): EventRecorder;
