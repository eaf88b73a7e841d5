/**
 * The newest handshakes of each MCP pod, in memory. A pod's marks are kept for an hour, also when the pod is gone, because
 * that is when somebody looks. Bounded three ways: marks of a pod, pods of a KlingApi, pods in all.
 */
import type { Verdict } from '@klingapi/probe';

/** One look at a pod: the operator's own handshake, and what the pod's probe said at that time. */
export interface Mark {
  /** Milliseconds since the epoch. */
  at: number;
  verdict: Verdict;
  diagnosis: string | null;
  /** Time of the operator's handshake, milliseconds. */
  tookMs: number;
  /** null where the pod's own report did not come, or was too old to count. */
  probe: { verdict: Verdict; diagnosis: string | null } | null;
}

export interface Lane {
  pod: string;
  uid: string;
  /** Oldest first. */
  marks: readonly Mark[];
}

export interface HistoryLimits {
  marksOfPod: number;
  podsOfOne: number;
  pods: number;
  /** Older marks are dropped. */
  windowMs: number;
}

/** About 15 MiB when all of it is used, that is with 2000 pods. */
export const LIMITS: HistoryLimits = { marksOfPod: 120, podsOfOne: 160, pods: 2000, windowMs: 3_600_000 };

export interface History {
  saw(owner: string, pod: { name: string; uid: string }, mark: Mark): void;
  /** Those that were looked at last come last. */
  lanes(owner: string): Lane[];
  forget(owner: string): void;
  /** Pods and marks that are kept now. */
  size(): { pods: number; marks: number };
}

/** @param isKnown whether there still is such a KlingApi: a look that is under way ends after its deletion */
export function createHistory(
  isKnown: (owner: string) => boolean,
  now: () => number,
  limits: HistoryLimits = LIMITS,
): History {
  /** Both maps begin with what was looked at longest ago. */
  const owners = new Map<string, Map<string, Lane>>();
  const ownerOf = new Map<string, string>();

  const drop = (owner: string, uid: string): void => {
    ownerOf.delete(uid);
    const lanes = owners.get(owner);
    lanes?.delete(uid);
    if (lanes?.size === 0) owners.delete(owner);
  };
  const fresh = ({ marks }: Lane): readonly Mark[] => marks.filter(({ at }) => now() - at <= limits.windowMs);
  const dropOldest = (): void => {
    const [first] = ownerOf;
    if (first !== undefined) drop(first[1], first[0]);
  };

  return {
    saw(owner, { name, uid }, mark) {
      if (!isKnown(owner)) return;
      const before = ownerOf.get(uid);
      const known = before === undefined ? undefined : owners.get(before)?.get(uid);
      if (before !== undefined) drop(before, uid);
      const lanes = owners.get(owner) ?? new Map<string, Lane>();
      owners.set(owner, lanes);
      const kept = known === undefined || before !== owner ? [] : fresh(known);
      lanes.set(uid, { pod: name, uid, marks: thin([...kept, mark], limits.marksOfPod) });
      ownerOf.set(uid, owner);
      for (const lane of [...lanes.values()])
        if (lanes.size > limits.podsOfOne || fresh(lane).length === 0) drop(owner, lane.uid);
        else break;
      if (ownerOf.size > limits.pods) dropOldest();
    },
    lanes: (owner) =>
      [...(owners.get(owner)?.values() ?? [])]
        .map((lane) => ({ ...lane, marks: fresh(lane) }))
        .filter(({ marks }) => marks.length > 0),
    forget(owner) {
      for (const uid of [...(owners.get(owner)?.keys() ?? [])]) drop(owner, uid);
    },
    size: () => ({
      pods: ownerOf.size,
      marks: [...owners.values()]
        .flatMap((lanes) => [...lanes.values()])
        .reduce((sum, lane) => sum + lane.marks.length, 0),
    }),
  };
}

const alike = (a: Mark | undefined, b: Mark | undefined): boolean =>
  a?.verdict === b?.verdict &&
  a?.diagnosis === b?.diagnosis &&
  a?.probe?.verdict === b?.probe?.verdict &&
  a?.probe?.diagnosis === b?.probe?.diagnosis;

/**
 * A pod that fails is looked at every two seconds, which would push out how it began: what only repeats goes first, the
 * oldest of it before the rest, so that every change stays for as long as there is room.
 */
export function thin(marks: readonly Mark[], most: number): readonly Mark[] {
  if (marks.length <= most) return marks;
  const repeats = marks.findIndex(
    (mark, at) => at > 0 && at < marks.length - 1 && alike(marks[at - 1], mark) && alike(mark, marks[at + 1]),
  );
  return thin(marks.toSpliced(Math.max(repeats, 0), 1), most);
}
