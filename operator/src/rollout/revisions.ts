/** What `status.revisions` becomes. */
import { iso } from '../remediation/time.ts';
import type { RejectedRevision, Revisions, Verification } from '../resource/status.ts';
import { isUndone } from '../verification/policy.ts';

export interface RevisionsInput {
  previous: Revisions;
  /** Revision of the applied template. */
  current: string;
  generation: number;
  /** Nothing but pods of the current revision is left, and all of them serve. */
  complete: boolean;
  /** The newest verification. */
  verification: Verification | undefined;
  /** What this look decided. */
  restartedAt: string | undefined;
  rejected: RejectedRevision | undefined;
  /** The newest restart never reached the template: what is there already stands instead. */
  withdrawn: boolean;
  /** Stamp of the live template. */
  liveRestartedAt: string | undefined;
}

const MOST_REJECTED = 10;

const passed = (verification: Verification): boolean =>
  !isUndone(verification) && !verification.checks.some((check) => check.result === 'Failed');

/** @param now milliseconds since the epoch */
export function nextRevisions(input: RevisionsInput, now: number): Revisions {
  const { previous, current, verification } = input;
  const verified =
    verification?.revision === current && passed(verification) && input.rejected?.revision !== current
      ? current
      : previous.verified;
  const same = previous.current === current;
  const since = (same ? previous.since : undefined) ?? iso(now);
  const servedAt = (same ? previous.servedAt : undefined) ?? (input.complete ? iso(now) : undefined);
  // an older generation's verdict binds nobody any more
  const rejected = [
    ...(input.rejected === undefined ? [] : [input.rejected]),
    ...(previous.rejected ?? []).filter(
      (entry) => entry.generation === input.generation && entry.revision !== input.rejected?.revision,
    ),
  ].slice(0, MOST_REJECTED);
  const restartedAt = input.restartedAt ?? (input.withdrawn ? input.liveRestartedAt : previous.restartedAt);
  return {
    current,
    since,
    ...(servedAt === undefined ? {} : { servedAt }),
    ...(verified === undefined ? {} : { verified }),
    ...(restartedAt === undefined ? {} : { restartedAt }),
    ...(rejected.length === 0 ? {} : { rejected }),
  };
}
