import { type KlingClient, KlingError, type KlingRequest, REQUESTS } from '@klingapi/kling';
import type { Logger } from '@klingapi/management';
import type { ByteGate } from '../load/byte-gate.ts';
import { SMALL_BODY_BYTES } from '../load/load.ts';
import { ResultStoreError } from '../results/result-store.ts';
import type { Claim, Store, TaskChange } from '../storage/store.ts';
import { UploadMissingError } from '../uploads/references.ts';
import { upstreamCode, upstreamDetail } from '../upstream-problem.ts';
import { type Lease, LeaseLostError } from './lease.ts';
import { GIVE_UP_MS, type Progress } from './progress.ts';
import { BUSY, retryDelay } from './retries.ts';
import type { Task } from './task.ts';

export interface SubmissionsOptions {
  readonly store: Store;
  readonly client: Pick<KlingClient, 'create' | 'find'>;
  readonly lease: Lease;
  readonly progress: Progress;
  readonly logger: Logger;
  readonly now: () => number;
  /**
   * Puts the files of the subject in that a request only names; right before it is sent.
   * @throws UploadMissingError, ResultStoreError
   */
  readonly fillIn: (subject: string, request: KlingRequest) => Promise<KlingRequest>;
  /** Where Kling is to tell of changes. */
  readonly callbackUrl?: string | undefined;
  /** Told when a task is upstream and has to be followed. */
  readonly onSubmitted: () => void;
  /** Told when a task went (back) into the queue. */
  readonly onWaiting: () => void;
  /** Milliseconds until a task of unknown outcome is looked up again; doubles up to a minute. */
  readonly retryMs?: number;
  /** How much `fillIn` will put into a request, by what is stored of it: in bytes. */
  readonly inlineBytes: (request: object) => Promise<number>;
  /** Lets so many bytes of whole requests through at a time. */
  readonly gate: ByteGate;
}

export interface Submissions {
  /**
   * Makes a claimed task upstream. Resolves also when Kling is too busy (the task
   * is then back in the queue), when the outcome stays unknown (it is looked up
   * until it is known) and when another replica took the task over.
   *
   * @returns the task where Kling has it now
   * @throws KlingError when certainly no task was made
   */
  submit(claim: Claim): Promise<Task | undefined>;
  /** The submission of this task that runs in this process. */
  running(taskId: string): Promise<Task | undefined> | undefined;
  readonly size: number;
  /** Waits for what is under way. */
  drain(): Promise<void>;
}

/**
 * The rule: a task is on disk, under the id that Kling will know it by, before
 * Kling hears of it. After that it is only ever looked up under this id, and
 * sent (again) with the same id, which Kling accepts once. One replica at a time
 * has the right to do so (a claim), and every write of its outcome is refused
 * once another replica has claimed the task.
 */
export function createSubmissions(options: SubmissionsOptions): Submissions {
  const { store, client, lease, progress, logger, now } = options;
  const firstDelay = options.retryMs ?? 5000;
  const running = new Map<string, Promise<Task | undefined>>();
  const timers = new Set<NodeJS.Timeout>();
  let draining = false;

  const settle = async (
    claim: Claim,
    change: TaskChange,
    found: 'submitted' | 'upstream',
  ): Promise<Task | undefined> => {
    const settled = await store.settle(claim, change);
    const { id, kind } = claim.task;
    if (settled === undefined) logger.info({ task: id, kind }, 'claim of a task lost');
    else
      logger.info(
        { task: id, kind, upstream: settled.upstreamId, state: settled.state, found },
        'task has an id upstream',
      );
    return settled;
  };

  /** @param releaseKey whether the idempotency key is free for a new task, which is then paid (again) */
  const fail = async (claim: Claim, code: string, message: string, releaseKey: boolean): Promise<void> => {
    await store.settle(claim, { state: 'failed', updatedAt: now(), error: { code, message }, releaseKey });
    logger.warn({ task: claim.task.id, kind: claim.task.kind, reason: code }, 'task refused');
  };

  /** Somebody asks again later, for a day. After that the key stays taken: a task may have been made for it. */
  const askAgain = async (claim: Claim, error: KlingError): Promise<void> => {
    const age = now() - claim.task.createdAt;
    logger.warn({ task: claim.task.id, reason: upstreamCode(error) }, 'outcome of a submission unknown');
    if (age > GIVE_UP_MS) {
      const message = 'whether Kling made this task could not be found out within a day';
      await fail(claim, 'upstream_outcome_unknown', message, false);
    } else {
      await store.putBack(claim, now() + retryDelay(age, firstDelay));
      options.onWaiting();
    }
  };

  const waitForRoom = async (claim: Claim, error: KlingError): Promise<void> => {
    const at = now();
    if (at - claim.task.createdAt > GIVE_UP_MS) {
      await fail(claim, upstreamCode(error), upstreamDetail(error), true);
      throw error;
    }
    await store.requeue(
      claim,
      error.kind === 'concurrency'
        ? { now: at, limitUntil: at + BUSY.limitKeptMs, blockedUntil: at + BUSY.tooManyMs }
        : { now: at, blockedUntil: at + BUSY.tooFastMs },
    );
    logger.info({ task: claim.task.id, pool: claim.pool, reason: upstreamCode(error) }, 'task queued');
    options.onWaiting();
  };

  /** Many at once, taken up after an outage or while Kling hangs, must not fill the memory with their pictures. */
  const create = async (claim: Claim, signal: AbortSignal): Promise<Task | undefined> => {
    const bytes = claim.bytes + (await options.inlineBytes(claim.task.request));
    const leave = bytes <= SMALL_BODY_BYTES ? undefined : await options.gate.pass(bytes);
    try {
      return await send(claim, signal);
    } finally {
      leave?.();
    }
  };

  const send = async (claim: Claim, signal: AbortSignal): Promise<Task | undefined> => {
    const { task } = claim;
    signal.throwIfAborted();
    const stored = claim.payload ?? REQUESTS[task.kind].parse(await store.payload(task.id));
    const request = await options.fillIn(task.subject, stored);
    const upstream = await client.create(task.kind, request, task.id, {
      signal,
      callbackUrl: options.callbackUrl,
      whenBusy: 'throw',
      async beforeSend(attempt) {
        lease.check();
        if (attempt === 1 && !claim.sent) return;
        if (!(await store.markSent(claim, lease.replica))) throw new LeaseLostError('another replica has the task');
        lease.check();
      },
    });
    const settled = await settle(claim, progress.of(task, upstream), 'submitted');
    options.onSubmitted();
    return settled;
  };

  /** Nothing was sent under this claim: the file that the request names could not be read. */
  const waitForFile = async (claim: Claim): Promise<void> => {
    const age = now() - claim.task.createdAt;
    if (age > GIVE_UP_MS) await fail(claim, 'upload_unavailable', 'an upload could not be read for a day', !claim.sent);
    else {
      await store.putBack(claim, now() + retryDelay(age, firstDelay));
      options.onWaiting();
    }
  };

  /** First asks, then sends: whoever held the claim before may have got through. @returns `absent` where it has to be sent */
  const lookUp = async (claim: Claim, signal: AbortSignal): Promise<Task | 'absent' | undefined> => {
    const { task } = claim;
    try {
      const upstream = await client.find(task.kind, task.id, signal);
      if (upstream === undefined) return 'absent';
      const settled = await settle(claim, progress.of(task, upstream), 'upstream');
      options.onSubmitted();
      return settled;
    } catch (error) {
      if (!(error instanceof KlingError) || signal.aborted) throw error;
      await askAgain(claim, error);
      return undefined;
    }
  };

  /** Once the storage can be reached again; refused when another replica has claimed the task meanwhile. */
  const giveBack = (claim: Claim, delay: number): void => {
    if (draining) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      store.putBack(claim, now()).then(options.onWaiting, () => giveBack(claim, Math.min(60_000, delay * 2)));
    }, delay);
    timers.add(timer);
  };

  const work = async (claim: Claim): Promise<Task | undefined> => {
    const signal = lease.signal();
    try {
      const found = claim.sent ? await lookUp(claim, signal) : 'absent';
      return found === 'absent' ? await create(claim, signal) : found;
    } catch (error) {
      if (error instanceof LeaseLostError || signal.aborted) {
        logger.warn({ task: claim.task.id }, 'submission left to another replica');
        // Where no other has taken it, the claim would hold as soon as this one is taken for alive again.
        giveBack(claim, firstDelay);
      } else if (error instanceof UploadMissingError) {
        await fail(claim, 'upload_not_found', error.message, !claim.sent);
      } else if (error instanceof ResultStoreError) {
        logger.warn({ task: claim.task.id, err: error }, 'upload could not be read');
        await waitForFile(claim);
      } else if (!(error instanceof KlingError)) {
        throw error;
      } else if (error.kind === 'concurrency' || error.kind === 'rate_limit') {
        await waitForRoom(claim, error);
      } else if (error.outcomeUnknown) {
        await askAgain(claim, error);
      } else {
        await fail(claim, upstreamCode(error), upstreamDetail(error), true);
        throw error;
      }
      return undefined;
    }
  };

  return {
    submit({ payload, ...claim }) {
      const { id } = claim.task;
      // A large one is read again when its turn comes: those that wait must not hold it.
      const submission = work(claim.bytes > SMALL_BODY_BYTES || payload === undefined ? claim : { ...claim, payload })
        .catch((error: unknown) => {
          // Our own fault (the storage, as a rule), perhaps after Kling took the task: not to be left until a restart.
          if (!(error instanceof KlingError)) giveBack(claim, firstDelay);
          throw error;
        })
        .finally(() => running.delete(id));
      running.set(id, submission);
      return submission;
    },
    running: (taskId) => running.get(taskId),
    get size() {
      return running.size;
    },
    async drain() {
      draining = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.allSettled(running.values());
    },
  };
}
