/**
 * A change that comes with the operator (a new default image) reaches every KlingApi at once. At most `limit` of them roll at a
 * time, each until its new revision is verified, or until it had its time: one that cannot be verified must not hold up the rest.
 */
import { at } from '../remediation/time.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Choice } from './choose.ts';

/** What is left of a rollout after its deadline: the verification. */
const AFTERWARDS_MS = 600_000;

export interface Turns {
  /** Whether this KlingApi may begin to roll, or rolls already. */
  take(klingApi: KlingApi): boolean;
  /** Its workloads stand as they are wanted. */
  done(uid: string): void;
  forget(uid: string): void;
}

const limitMs = ({ spec }: KlingApi): number => spec.rollout.deadlineSeconds * 1_000 + AFTERWARDS_MS;

/** By its status it rolls: whoever was the operator before has let it begin. */
function rolls(klingApi: KlingApi, now: number): boolean {
  const { current, verified, since } = klingApi.status?.revisions ?? {};
  if (current === undefined || verified === undefined || current === verified || since === undefined) return false;
  return now - at(since) < limitMs(klingApi);
}

/** Whether everything that a change of the operator may have moved stands, and what it moved is verified. */
export function isTurnOver(input: {
  mcp: { rollingOut: boolean };
  api: { rollingOut: boolean };
  /** Revision of the live MCP workload. */
  revision: string;
  verified: string | undefined;
  choice: Choice;
}): boolean {
  const { mcp, api, revision, verified, choice } = input;
  return !mcp.rollingOut && !api.rollingOut && verified === revision && choice.kind !== 'Queued';
}

/** @param all every KlingApi that is known */
export function createTurns(limit: number, all: () => KlingApi[], now: () => number): Turns {
  /** Uid → end of its turn; the status says so only later. */
  const taken = new Map<string, number>();
  return {
    take(klingApi) {
      const time = now();
      for (const [uid, until] of taken) if (until <= time) taken.delete(uid);
      const { uid } = klingApi.metadata;
      if (taken.has(uid)) return true;
      const rolling = new Set(
        all()
          .filter((other) => rolls(other, time))
          .map((other) => other.metadata.uid),
      );
      for (const other of taken.keys()) rolling.add(other);
      rolling.delete(uid);
      if (rolling.size >= limit) return false;
      taken.set(uid, time + limitMs(klingApi));
      return true;
    },
    done: (uid) => void taken.delete(uid),
    forget: (uid) => void taken.delete(uid),
  };
}
