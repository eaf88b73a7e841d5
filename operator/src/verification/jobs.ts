/**
 * Verifications run beside the reconcile loop, one a KlingApi at a time: a picture takes a minute, a reconcile must not.
 * A finished result waits here for the reconcile that writes it down; a process that dies loses only work that is asked for again.
 */
import type { Check, Verification } from '../resource/status.ts';
import { summarize } from './checks.ts';

export interface VerificationJobs {
  /** Starts the checks unless some run for this KlingApi already. `subject` is a revision or a repair id. */
  start(
    uid: string,
    subject: string,
    of: Pick<Verification, 'revision' | 'upstream' | 'request'>,
    run: () => Promise<Check[]>,
  ): void;
  running(uid: string): boolean;
  /** The finished result, if it is about `subject`; it stays until checks for another subject start. */
  result(uid: string, subject: string): Verification | undefined;
  /** Whether the newest finished checks were begun with this request, also where the status could not keep that. */
  hasAnswered(uid: string, request: string): boolean;
  forget(uid: string): void;
}

interface Job {
  subject: string;
  result?: Verification;
}

/** @param onDone called with the uid when a result is there */
export function createVerificationJobs(now: () => number, onDone: (uid: string) => void): VerificationJobs {
  const jobs = new Map<string, Job>();
  return {
    start(uid, subject, of, run) {
      const present = jobs.get(uid);
      if (present !== undefined && (present.result === undefined || present.subject === subject)) return;
      const job: Job = { subject };
      jobs.set(uid, job);
      const finish = (checks: Check[]): void => {
        if (jobs.get(uid) !== job) return;
        job.result = { summary: summarize(checks), checks, at: new Date(now()).toISOString(), ...of };
        onDone(uid);
      };
      run().then(finish, () => {
        if (jobs.get(uid) === job) jobs.delete(uid);
        onDone(uid);
      });
    },
    running: (uid) => jobs.has(uid) && jobs.get(uid)?.result === undefined,
    result(uid, subject) {
      const job = jobs.get(uid);
      return job?.subject === subject ? job.result : undefined;
    },
    hasAnswered: (uid, request) => jobs.get(uid)?.result?.request === request,
    forget: (uid) => void jobs.delete(uid),
  };
}
