import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@klingapi/management';
import type { Egress } from '../egress/egress.ts';
import type { WorkMetrics } from '../metrics/work.ts';
import type { Store } from '../storage/store.ts';
import { type Loop, startLoop } from '../tasks/loop.ts';
import { KEPT_MS } from '../tasks/progress.ts';
import type { Task, TaskFile } from '../tasks/task.ts';
import { placeOf } from '../uploads/upload.ts';
import { download, TIMEOUT_MS } from './download.ts';
import type { ResultStore } from './result-store.ts';

export interface MirrorOptions {
  readonly store: Store;
  readonly results: ResultStore;
  readonly egress: Egress;
  readonly logger: Logger;
  readonly now: () => number;
  /** How long copies are kept, in milliseconds from the end of the task. */
  readonly retentionMs: number;
  /** Milliseconds until a copy that failed is tried again; grows with the age of the task. */
  readonly retryMs?: number;
  readonly onCopy?: WorkMetrics['onCopy'];
}

const AT_ONCE = 4;
/** A replica that dies over a copy leaves it to the others after so long. To copy twice does no harm. */
const HIDDEN_MS = 10 * 60_000;
const LONGEST_RETRY_MS = 3_600_000;
const LOOK_MS = 2000;

/** Copies results before Kling deletes them, and deletes the copies, and the files of callers, when their time is over. */
export function startMirror(options: MirrorOptions): Loop {
  const { store, results, egress, logger, now } = options;
  const stopping = new AbortController();

  const keep = async (task: Task): Promise<void> => {
    const files: TaskFile[] = [];
    let failed = false;
    for (const [index, file] of task.files.entries()) {
      const kept = file.kept ?? (await keepOne(task, index, file).catch((error: unknown) => problem(task, error)));
      if (kept === undefined) failed = true;
      files.push(kept === undefined ? file : { ...file, kept });
    }
    const age = now() - task.updatedAt;
    const retry = Math.min(LONGEST_RETRY_MS, Math.max(options.retryMs ?? 5000, age));
    const isOver = age > KEPT_MS;
    if (failed && isOver) options.onCopy?.('lost');
    if (failed && isOver) logger.error({ task: task.id }, 'results were lost');
    await store.setFiles(task.id, {
      files,
      mirrorAt: failed && !isOver ? now() + retry : null,
      purgeAt: task.updatedAt + options.retentionMs,
    });
    if (!failed) logger.info({ task: task.id, files: files.length }, 'results kept');
  };

  const keepOne = async (task: Task, index: number, file: TaskFile): Promise<NonNullable<TaskFile['kept']>> => {
    const folder = await mkdtemp(join(tmpdir(), 'result-'));
    try {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const stored = await download(egress, file.url, join(folder, 'bytes'), signal);
      await results.put({ taskId: task.id, index }, stored);
      options.onCopy?.({ bytes: stored.bytes });
      return { etag: `"${stored.sha256}"`, type: stored.type, bytes: stored.bytes };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const problem = (task: Task, error: unknown): undefined => {
    if (stopping.signal.aborted) return undefined;
    options.onCopy?.('failed');
    logger.warn({ task: task.id, err: error }, 'result could not be kept');
    return undefined;
  };

  const purge = async (task: Task): Promise<void> => {
    await Promise.all(task.files.map((_, index) => results.remove({ taskId: task.id, index })));
    const files = task.files.map(({ kept: _, ...file }) => ({ ...file, deleted: true }));
    await store.setFiles(task.id, { files, mirrorAt: null, purgeAt: null });
    logger.info({ task: task.id, files: files.length }, 'kept results deleted');
  };

  const purgeUpload = async (id: string): Promise<void> => {
    await results.remove(placeOf(id));
    await store.removeUpload(id);
    logger.info({ upload: id }, 'upload deleted');
  };

  const hidden = () => now() + (store.shared ? HIDDEN_MS : 0);
  const loop = startLoop({
    name: 'mirror',
    logger,
    longestMs: store.shared ? LOOK_MS : undefined,
    async turn() {
      await Promise.all((await store.claimMirrors(now(), AT_ONCE, hidden())).map(keep));
      await Promise.all((await store.claimPurges(now(), AT_ONCE, hidden())).map(purge));
      await Promise.all((await store.claimUploadPurges(now(), AT_ONCE, hidden())).map(purgeUpload));
      const times = [await store.nextMirror(), await store.nextPurge(), await store.nextUploadPurge()];
      const next = times.filter((at) => at !== undefined);
      return next.length === 0 ? undefined : Math.min(...next) - now();
    },
  });
  return {
    wake: loop.wake,
    async stop() {
      stopping.abort();
      await loop.stop();
    },
  };
}
