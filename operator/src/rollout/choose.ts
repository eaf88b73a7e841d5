/** Which template of the MCP workload is applied. */
import type { Revisions } from '../resource/status.ts';

/** Stands for the revision of a live workload that has none. */
export const UNNAMED = 'unnamed';

export interface ChooseInput {
  /** Revision that the spec asks for. */
  wanted: string;
  /** Revision of the live workload; undefined where there is none, UNNAMED without the label. */
  live: string | undefined;
  revisions: Revisions;
  generation: number;
  /** Whether it may begin to roll now; asked only for a change that did not come with the spec. */
  mayRoll: () => boolean;
  /** Whether the template of a revision is kept. */
  isKept: (revision: string) => boolean;
  /** The spec changed since it was last applied, or nothing is there yet. */
  asked: boolean;
}

export type Choice =
  | { kind: 'Wanted'; revision: string }
  /** The spec's revision was rejected: the verified one is applied instead. */
  | { kind: 'RolledBack'; revision: string; message: string }
  /** Others roll first: what runs stays as it is. */
  | { kind: 'Queued'; revision: string };

export function choose(input: ChooseInput): Choice {
  const { wanted, live, revisions, generation } = input;
  const rejected = revisions.rejected?.find((entry) => entry.revision === wanted && entry.generation === generation);
  const { verified } = revisions;
  // a way back that is lost is none: what the spec asks for is better than nothing
  if (rejected !== undefined && verified !== undefined && (live === verified || input.isKept(verified))) {
    const message = `${rejected.message}; revision ${verified} runs instead until the spec changes`;
    return { kind: 'RolledBack', revision: verified, message };
  }
  // what this operator never applied is somebody else's change (kubectl rollout undo): taken back at once
  const foreign = live !== UNNAMED && revisions.current !== undefined && live !== revisions.current;
  if (live === undefined || live === wanted || input.asked || foreign || input.mayRoll())
    return { kind: 'Wanted', revision: wanted };
  return { kind: 'Queued', revision: live };
}
