import type { KlingCode, KlingErrorKind } from './codes.ts';

export interface KlingErrorDetails {
  readonly judged: KlingCode;
  /** The vendor's business code; null when no envelope came. */
  readonly code?: number | null;
  /** Null when no HTTP reply came. */
  readonly httpStatus?: number | null;
  readonly requestId?: string | undefined;
  /** The vendor's own words, at most 300 characters; misleading for 1002. */
  readonly vendorMessage?: string;
  readonly cause?: unknown;
}

/** Any failure of a call to Kling. The message is our own words and holds no secret. */
export class KlingError extends Error {
  override readonly name = 'KlingError';
  readonly kind: KlingErrorKind;
  readonly code: number | null;
  readonly httpStatus: number | null;
  readonly requestId: string | undefined;
  readonly vendorMessage: string;
  /** How the same call may be made again. */
  readonly retry: Pick<KlingCode, 'read' | 'create'>;

  constructor(details: KlingErrorDetails) {
    const { judged, code = null } = details;
    super(code === null ? judged.meaning : `${judged.meaning} (code ${code})`, { cause: details.cause });
    this.kind = judged.kind;
    this.code = code;
    this.httpStatus = details.httpStatus ?? null;
    this.requestId = details.requestId;
    this.vendorMessage = (details.vendorMessage ?? '').slice(0, 300);
    this.retry = { read: judged.read, create: judged.create };
  }

  /** Whether the same call may succeed later without a change by a person. */
  get retryable(): boolean {
    return this.retry.read === 'again';
  }

  /** Whether a create that ended so may nevertheless have made (and charged) a task. */
  get outcomeUnknown(): boolean {
    return this.retry.create === 'look-up';
  }
}
