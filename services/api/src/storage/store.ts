import type { Limits } from '@klingapi/identity';
import type { Kind, KlingRequest, OperationName } from '@klingapi/kling';
import type { State, Task, TaskError } from '../tasks/task.ts';
import type { Reference, Upload } from '../uploads/upload.ts';

/**
 * Where everything lives that must outlast a process. One interface over SQLite
 * (one process) and PostgreSQL (several, called replicas); both pass the tests
 * of `store.contract.test.ts`. Every write outlasts the process when its promise resolves. What must not be forgotten
 * before Kling is asked for a task outlasts a power cut too; all else can be asked of Kling again.
 */
export interface Store
  extends TaskTable,
    Listing,
    SubmissionQueue,
    PollQueue,
    ResultQueue,
    NotifyQueue,
    UploadTable,
    Replicas,
    CallLog,
    Usage,
    Overview {
  /** Whether other processes may work on the same tasks. */
  readonly shared: boolean;
  /**
   * Calls back after changes of tasks, also those of other replicas, though not certainly of all.
   * @param listener gets the task too where this process changed it
   * @returns stops it
   */
  onChange(listener: (taskId: string, task?: Task) => void): () => void;
  /** @returns false when a message with this id came before */
  acceptWebhook(id: string, now: number): Promise<boolean>;
  /** @throws when the database cannot be reached */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface TaskTable {
  /**
   * Stores a task. Claims it at once for the replica where its pool has room, so
   * that the usual create costs no second look; otherwise it waits in the queue.
   */
  add(task: NewTask, replica: string): Promise<Added>;
  /** What the subject's idempotency key stands for already. */
  findByKey(
    subject: string,
    idempotency: NonNullable<NewTask['idempotency']>,
  ): Promise<Extract<Added, { readonly outcome: 'known' | 'key-of-another-request' }> | undefined>;
  find(id: string): Promise<Task | undefined>;
  findByUpstreamId(upstreamId: string): Promise<Task | undefined>;
  /** The whole request of a task that Kling may not have yet. */
  payload(id: string): Promise<unknown>;
  /**
   * What Kling told of a task. Never takes a task back: one that has ended or is
   * further on stays as it is. Drops the payload and every claim.
   * @returns the task as it is now
   */
  progress(id: string, change: TaskChange): Promise<Task>;
  counts(): Promise<Partial<Record<State, number>>>;
}

/** Paid calls that make no task. */
export interface CallLog {
  /** Notes a call before it is made; it counts against the limits as a task does. */
  addCall(call: NewCall): Promise<{ readonly outcome: 'added' } | OverLimit>;
  /** @param units what it cost; 0 when certainly nothing was done */
  endCall(id: string, outcome: 'succeeded' | 'failed' | 'unknown', units: number): Promise<void>;
}

export interface NewCall extends Spending {
  readonly id: string;
  readonly operation: OperationName;
  /** Units, by the price list: Kling does not tell what a call took. */
  readonly estimate: number;
}

export interface Overview {
  /** When the oldest task of each state was made; only of states that end. */
  oldest(): Promise<Partial<Record<State, number>>>;
  /** Of each pool where something runs or a limit was learnt. */
  slots(now: number): Promise<{ readonly pool: string; readonly used: number; readonly limit: number | null }[]>;
}

/** What the limits of a subject are applied to. */
export interface Spending extends Pick<Task, 'subject' | 'createdAt'> {
  /** Units that it will probably cost. */
  readonly estimate?: number | undefined;
  /** Units that it costs at most; they count until the real ones are known. Absent: the estimate. */
  readonly reserved?: number | undefined;
  /** What the subject may use up. */
  readonly limits?: Limits | undefined;
}

export interface OverLimit {
  readonly outcome: 'over-limit';
  readonly limit: keyof Limits;
  readonly retryAfterSeconds: number;
}

export interface Listing {
  /** The subject's tasks, newest first. */
  list(subject: string, query: ListQuery): Promise<Task[]>;
  /** By the id that the subject gave it. */
  findByExternalId(subject: string, externalId: string): Promise<Task | undefined>;
  /** Which of these ids are tasks of anybody. */
  known(ids: readonly string[]): Promise<Set<string>>;
  /** Whether a task of the subject made the element or voice that Kling knows by this id. */
  made(subject: string, field: 'element_id' | 'voice_id', id: string): Promise<boolean>;
}

export interface ListQuery {
  readonly limit: number;
  readonly offset?: number;
  /** The task that the page before ended with. */
  readonly after?: Pick<Task, 'createdAt' | 'id'> | undefined;
  readonly kinds?: readonly Kind[] | undefined;
  readonly states?: readonly State[] | undefined;
  /** Made at this time or later, and before that. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** What was made from `from` to before `to` (milliseconds since the epoch) came to. */
export interface Usage {
  usage(subject: string, from: number, to: number): Promise<UsageRow[]>;
  callUsage(subject: string, from: number, to: number): Promise<CallUsageRow[]>;
  /** Of every subject: what took most units, and what failed most often, first. @param limit rows of each list */
  usageOfAll(from: number, to: number, limit: number): Promise<UsageOfAll>;
}

export interface UsageOfAll {
  readonly tasks: readonly (UsageRow & OfSubject)[];
  readonly calls: readonly (CallUsageRow & OfSubject)[];
  readonly failures: readonly FailureRow[];
}

type OfSubject = Pick<Task, 'subject'>;

export interface UsageRow {
  readonly kind: Kind;
  readonly model: string;
  readonly tasks: number;
  readonly succeeded: number;
  readonly failed: number;
  /** What Kling took. */
  readonly units: number;
  /** What tasks that have not ended will probably cost. */
  readonly expectedUnits: number;
}

export interface CallUsageRow {
  readonly operation: string;
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly units: number;
}

/** Tasks of one subject that failed with one code. */
export interface FailureRow extends OfSubject, TaskError {
  readonly tasks: number;
}

/** Callers who want to be told of changes. */
export interface NotifyQueue {
  claimNotifications(now: number, limit: number, hiddenUntil: number): Promise<Task[]>;
  nextNotification(): Promise<number | undefined>;
  /** @param at when to try again; null: told, or given up. A change that came meanwhile is told all the same. */
  notified(task: Task, claimedUntil: number, at: number | null): Promise<void>;
}

export interface NewTask extends Spending, Pick<Task, 'id' | 'kind' | 'request'> {
  /** The whole request, pictures included; kept until Kling has the task. */
  readonly payload: KlingRequest;
  /** What it counts against in Kling's limit of parallel tasks, and for how much. */
  readonly pool: string;
  readonly slots: number;
  /** Where the caller is to be told of changes. */
  readonly callbackUrl?: string | undefined;
  /** Ids of uploads that it names; they stay until it has ended. */
  readonly uploads?: readonly string[] | undefined;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string } | undefined;
}

/** `added`, or what the subject's idempotency key stands for already. */
export type Added =
  | { readonly outcome: 'added'; readonly task: Task; readonly claim: Claim | undefined }
  | { readonly outcome: 'known'; readonly task: Task }
  | { readonly outcome: 'key-of-another-request' }
  /** One of its uploads is not there any longer. */
  | { readonly outcome: 'upload-gone' }
  | OverLimit;

export type TaskChange = Partial<
  Pick<Task, 'state' | 'upstreamId' | 'files' | 'details' | 'error' | 'units' | 'pollAt'>
> & {
  readonly updatedAt: number;
  /** Lets the idempotency key go, when certainly no task was made for it. */
  readonly releaseKey?: boolean;
  /** When to keep the results; null when they are kept, or never will be. */
  readonly mirrorAt?: number | null;
  /** When to delete what is kept. */
  readonly purgeAt?: number | null;
};

/** The right of one replica to submit one task, until somebody else claims it. */
export interface Claim {
  readonly task: Task;
  readonly pool: string;
  /** Grows with each claim: what an older holder still writes is refused. */
  readonly fence: number;
  /** Whether Kling may have been asked for it before this claim: look before sending. */
  readonly sent: boolean;
  /** The whole request, where it was just stored and need not be read. */
  readonly payload?: KlingRequest;
  /** Length of the whole request. */
  readonly bytes: number;
}

export interface SubmissionQueue {
  /**
   * Tasks to submit now: those of dead replicas, those of unknown outcome, those
   * that this replica holds without knowing (the answer to its claim was lost),
   * and queued ones as far as pools have room.
   * @param isRunning whether this replica works on the task
   */
  claimSubmissions(
    replica: string,
    now: number,
    limit: number,
    isRunning?: (taskId: string) => boolean,
  ): Promise<Claim[]>;
  /**
   * To be called right before Kling is asked for the task again under the same claim.
   * @returns false when the claim is lost, or the replica counts as dead: then nothing may be sent
   */
  markSent(claim: Claim, replica: string): Promise<boolean>;
  /** The outcome is known. @returns undefined when the claim is lost */
  settle(claim: Claim, change: TaskChange): Promise<Task | undefined>;
  /** The outcome is not known, or the claim cannot be worked on: whoever comes first looks again at `attemptAt`. */
  putBack(claim: Claim, attemptAt: number): Promise<void>;
  /** Kling made no task because it is busy; the pool gets what was learnt. */
  requeue(claim: Claim, busy: Busy): Promise<void>;
  /** When there is something to submit, in the past where only room is missing. */
  nextSubmission(): Promise<number | undefined>;
}

export interface Busy {
  readonly now: number;
  /** No more than run now are let through until then (milliseconds since the epoch); absent: no such limit was learnt. */
  readonly limitUntil?: number;
  /** Nothing of the pool is sent until then. */
  readonly blockedUntil: number;
}

/** What is needed to ask Kling for a task; there can be many at a time. */
export type PolledTask = Pick<Task, 'id' | 'kind' | 'state' | 'createdAt' | 'updatedAt' | 'upstreamId'>;

export interface PollQueue {
  /** Tasks to ask Kling about; nobody else gets them until `hiddenUntil`. */
  claimPolls(now: number, limit: number, hiddenUntil: number): Promise<PolledTask[]>;
  nextPoll(): Promise<number | undefined>;
  /** Asks sooner or later, without any other change. One write for all. */
  pollAgain(tasks: readonly { readonly id: string; readonly pollAt: number }[]): Promise<void>;
}

export interface ResultQueue {
  claimMirrors(now: number, limit: number, hiddenUntil: number): Promise<Task[]>;
  nextMirror(): Promise<number | undefined>;
  /** Ended tasks whose kept results are to be deleted. */
  claimPurges(now: number, limit: number, hiddenUntil: number): Promise<Task[]>;
  nextPurge(): Promise<number | undefined>;
  /** Replaces the files and when to come back for them; also of a task that has ended. */
  setFiles(id: string, change: Pick<TaskChange, 'files' | 'mirrorAt' | 'purgeAt'>): Promise<void>;
}

/**
 * Files of callers: what is known of them, not their bytes. A row is there before
 * the bytes and goes after them, so that none are left without one.
 */
export interface UploadTable {
  /**
   * Takes the room for a file that is about to come.
   * @returns what the subject keeps already, when that and the file are too much
   */
  reserveUpload(
    upload: Omit<Upload, 'sha256' | 'width' | 'height'>,
    bounds: UploadBounds,
  ): Promise<UploadsFull | undefined>;
  /** The bytes are stored. @returns undefined when the row is gone: it took too long */
  finishUpload(
    told: Pick<Upload, 'id' | 'sha256'> & Partial<Pick<Upload, 'width' | 'height'>>,
  ): Promise<Upload | undefined>;
  /** Of any subject, also after its time, as long as the bytes are there. */
  findUpload(reference: Reference): Promise<Upload | undefined>;
  /**
   * Takes it out of use; what then has to be removed comes back as a purge at `hiddenUntil`.
   * @returns false when a task that has not ended uses it, or it is gone
   */
  retireUpload(id: string, hiddenUntil: number): Promise<boolean>;
  /** Ids of uploads whose bytes are to be removed now, out of use from here on. */
  claimUploadPurges(now: number, limit: number, hiddenUntil: number): Promise<string[]>;
  nextUploadPurge(): Promise<number | undefined>;
  /** The bytes are gone. */
  removeUpload(id: string): Promise<void>;
}

/** What one subject may keep. */
export interface UploadBounds {
  readonly bytes: number;
  readonly files: number;
}
/** `roomAt`: when the first file goes, in milliseconds since the epoch. */
export type UploadsFull = UploadBounds & { readonly roomAt: number };

export interface Replicas {
  /** Says that the replica lives for so long; by the database's clock. */
  heartbeat(replica: string, milliseconds: number): Promise<void>;
  /** Its claims are free at once. */
  leave(replica: string): Promise<void>;
}
