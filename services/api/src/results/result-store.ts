import type { Readable } from 'node:stream';

/** Where copies of results are. A copy is found by its task and its index; putting it again replaces it. */
export interface ResultStore {
  put(key: ResultKey, file: StoredFile): Promise<void>;
  /**
   * Stores bytes as they come, once. Where they do not come to their end, remove the key: some servers of S3 keep what came.
   * @throws ResultStoreError when the store cannot be reached, or is full
   * @throws what `content` throws
   */
  write(key: ResultKey, incoming: IncomingFile, signal: AbortSignal): Promise<void>;
  /**
   * @param range first and last byte, both included; undefined: all
   * @returns undefined when there is no such copy
   * @throws ResultStoreError when the store cannot be reached
   */
  get(key: ResultKey, range: ByteRange | undefined, signal: AbortSignal): Promise<Readable | undefined>;
  /** Also when it is gone already. */
  remove(key: ResultKey): Promise<void>;
  close(): Promise<void>;
}

export interface ResultKey {
  readonly taskId: string;
  readonly index: number;
}

export interface StoredFile {
  /** On the local disk, until the promise resolves. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the bytes, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly type: string;
}

export interface IncomingFile {
  /** Exactly so many as are announced. */
  readonly content: AsyncIterable<Buffer>;
  readonly bytes: number;
  readonly type: string;
}

export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export class ResultStoreError extends Error {
  override readonly name: string = 'ResultStoreError';
}

/** There is no room for more. */
export class ResultStoreFullError extends ResultStoreError {
  override readonly name = 'ResultStoreFullError';
}

/** The ids of tasks are our own, but a path must not depend on that. */
export function pathOf({ taskId, index }: ResultKey): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(taskId)) throw new Error('the id of the task cannot be part of a path');
  return `${taskId}/${index}`;
}
