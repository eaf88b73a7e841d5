/** Whether this process is worth keeping (liveness) and worth waiting for (readiness). */
import type { KubeClient } from './client.ts';
import type { Clock } from './clock.ts';
import { isAnswer } from './errors.ts';
import type { Reflector } from './reflector.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** Every reason why not; empty where ok. */
  readonly problems: readonly string[];
}

export interface HealthOptions {
  readonly client: Pick<KubeClient, 'version'>;
  readonly reflectors: readonly Reflector[];
  readonly clock: Clock;
  /** How long a watch may be down while the API server answers (3 min). */
  readonly downLimitMs?: number | undefined;
  /** Further conditions of readiness; each returns its problem or null. */
  readonly readiness?: readonly (() => string | null)[] | undefined;
}

export interface Health {
  /** Fails only while the API server answers and a watch has been down for `downLimitMs` all the same. Never waits. */
  live(): Promise<HealthReport>;
  /** The API server answers and every cache has synced and is kept up to date, leading or standing by. */
  ready(): Promise<HealthReport>;
}

/** A kubelet asks every few seconds; one call to the API server serves all who ask meanwhile. */
const GOOD_FOR_MS = 2_000;
/** A watch that is down for so long is no mere change of servers. */
const STALE_MS = 60_000;
/** Less than a kubelet waits. */
const CALL_MS = 2_000;

export function createHealth(options: HealthOptions): Health {
  const { client, reflectors, clock, downLimitMs = 180_000, readiness = [] } = options;
  /** Since when every look found the API server answering; null while the last one did not. */
  let answeringSince: number | null = null;
  let last: { at: number; answers: Promise<boolean> } | undefined;

  function apiAnswers(): Promise<boolean> {
    const now = clock.now();
    if (last !== undefined && now - last.at < GOOD_FOR_MS) return last.answers;
    const answers = client.version({ timeoutMs: CALL_MS }).then(() => true, isAnswer);
    last = { at: now, answers };
    return answers.then((yes) => {
      if (!yes) answeringSince = null;
      else answeringSince ??= now;
      return yes;
    });
  }

  return {
    async live() {
      // asked for the next time, not waited for: a kubelet's patience with a hung API server would end in a restart
      void apiAnswers();
      if (answeringSince === null) return report([]);
      // an outage of the API server is not held against a watch: its time begins when the server is back
      const from = answeringSince;
      const now = clock.now();
      return report(
        reflectors.flatMap((reflector) => {
          const { downSince, lastError } = reflector.status();
          if (downSince === null || now - Math.max(downSince, from) < downLimitMs) return [];
          return [
            `Watch of ${reflector.name} has been down for ${Math.round((now - downSince) / 1000)} s: ${lastError ?? 'no list yet'}`,
          ];
        }),
      );
    },
    async ready() {
      const problems = (await apiAnswers()) ? [] : ['API server does not answer'];
      for (const reflector of reflectors) {
        const { synced, downSince, lastError } = reflector.status();
        const downMs = downSince === null ? 0 : clock.now() - downSince;
        if (!synced) problems.push(`Cache of ${reflector.name} has not synced: ${lastError ?? 'list is under way'}`);
        else if (downMs >= STALE_MS)
          problems.push(
            `Cache of ${reflector.name} may be out of date: no watch for ${Math.round(downMs / 1000)} s: ${lastError ?? 'no list yet'}`,
          );
      }
      for (const check of readiness) {
        const problem = check();
        if (problem !== null) problems.push(problem);
      }
      return report(problems);
    },
  };
}

const report = (problems: readonly string[]): HealthReport => ({ ok: problems.length === 0, problems });
