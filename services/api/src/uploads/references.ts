import { buffer } from 'node:stream/consumers';
import type { Kind } from '@klingapi/kling';
import type { FastifyRequest } from 'fastify';
import { subjectOf } from '../access.ts';
import type { Context } from '../context.ts';
import { SMALL_BODY_BYTES } from '../load/load.ts';
import { type FieldProblem, ownProblem, ProblemError } from '../problem.ts';
import { type ResultStore, ResultStoreError } from '../results/result-store.ts';
import type { UploadTable } from '../storage/store.ts';
import { acceptMedia, MOST_ERRORS, refusedMedia } from '../tasks/media.ts';
import { type FieldRule, mapMedia, ruleOf } from '../tasks/media-fields.ts';
import { mediumOf } from './media-type.ts';
import { placeOf, publicAddress, type Reference, referenceOf, type Upload } from './upload.ts';

const MB = 1024 * 1024;
/** Of all uploads that go into one request as Base64: as much as a request of a caller may hold itself. */
const INLINE_BYTES = 24 * MB;
/** Far more than any request of Kling has places for. */
const MOST_NAMED = 50;
const READ_WITHIN_MS = 60_000;
/** How long a call that makes no task waits until its files may be read. */
const ROOM_WITHIN_MS = 15_000;

/** An upload is gone that a request needs. */
export class UploadMissingError extends Error {
  override readonly name = 'UploadMissingError';
}

/** What the look at uploads takes. */
interface Looks extends Pick<Context, 'now'> {
  readonly store: Pick<UploadTable, 'findUpload'>;
  readonly uploads: Pick<Context['uploads'], 'address' | 'retentionMs'>;
}

/**
 * Looks at every upload that a request names, before it costs anything: whether
 * it is the caller's and what Kling takes there, and whether it can be given to Kling.
 *
 * @param kind undefined in what makes no task
 * @returns ids of the uploads
 * @throws ProblemError `invalid_request` that names each field
 */
export async function checkUploads(
  { store, uploads, now }: Looks,
  subject: string,
  kind: Kind | undefined,
  body: object,
): Promise<string[]> {
  const named: { field: string; rule: FieldRule; value: string; reference: Reference }[] = [];
  mapMedia(body, (media) => {
    const reference = referenceOf(media.value, uploads.address);
    if (reference !== undefined)
      named.push({ field: media.field, rule: ruleOf(media, kind), value: media.value, reference });
    return media.value;
  });
  if (named.length > MOST_NAMED) {
    const hint = `a request may name ${MOST_NAMED} uploads at most`;
    const problem = `is one of ${named.length} fields that name uploads`;
    throw refusedMedia(named.slice(0, 1).map(({ field }) => ({ field, problem, hint })));
  }
  const errors: FieldProblem[] = [];
  const ids = new Set<string>();
  const found = new Map<string, Upload | undefined>();
  let inline = 0;
  for (const { field, rule, value, reference } of named) {
    if (errors.length >= MOST_ERRORS) break;
    if (!found.has(value)) found.set(value, await store.findUpload(reference));
    const upload = found.get(value);
    const byId = 'id' in reference;
    // Whoever was given the address of another caller's file may use it like any other address.
    if (!byId && upload !== undefined && upload.subject !== subject) continue;
    if (upload === undefined || upload.subject !== subject || upload.expiresAt <= now()) {
      const hint = `upload it (POST /api/uploads); uploads are kept for ${Math.round(uploads.retentionMs / 86_400_000)} days`;
      errors.push({ field, problem: 'names no upload of yours that is there', hint });
      continue;
    }
    const isInline = byId && uploads.address === undefined;
    if (isInline) inline += upload.bytes;
    const problem = unfit(upload, rule) ?? (isInline ? unreachable(upload, rule, inline) : undefined);
    if (problem === undefined) ids.add(upload.id);
    else errors.push({ field, ...problem });
  }
  if (errors.length > 0) throw refusedMedia(errors);
  return [...ids];
}

type Problem = Pick<FieldProblem, 'problem' | 'hint'>;

function unfit({ type, bytes }: Upload, { media, bytes: most, webp }: FieldRule): Problem | undefined {
  const medium = mediumOf(type);
  if (!media.includes(medium)) {
    return { problem: `is a ${medium} (${type})`, hint: `a ${media.join(' or a ')} is needed here` };
  }
  if (type === 'image/webp' && !webp) return { problem: 'is a WebP picture', hint: 'Kling takes PNG and JPEG here' };
  if (bytes <= most) return undefined;
  return { problem: `has ${inMegabytes(bytes)}`, hint: `Kling takes ${most / MB} MB at most here` };
}

/** Why Kling, which cannot fetch from here, cannot be given the file in the request either. */
function unreachable({ bytes }: Upload, { inline }: FieldRule, sum: number): Problem | undefined {
  const hint = 'set PUBLIC_URL (spec.expose) to an address that Kling can reach, or give a URL of another place';
  if (inline === 0) return { problem: 'has no address that Kling can fetch it from', hint };
  if (bytes > inline || sum > INLINE_BYTES) {
    return { problem: `is too large to be sent without an address (${inMegabytes(bytes)})`, hint };
  }
  return undefined;
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil((bytes / MB) * 10) / 10} MB`;
}

/**
 * How much {@link fillIn} would put into a body: characters of Base64, for each
 * time that a file is named. Also told by what is stored of a request.
 */
export async function inlineBytes(
  { store, address }: Pick<FillInOptions, 'store' | 'address'>,
  body: object,
): Promise<number> {
  if (address !== undefined) return 0;
  let sum = 0;
  for (const [value, times] of namedIn(body)) {
    const reference = referenceOf(value, address);
    const upload = reference === undefined ? undefined : await store.findUpload(reference);
    sum += times * base64Length(upload?.bytes ?? 0);
  }
  return sum;
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Each `upload:<id>` in a body, and how often it is there. */
function namedIn(body: object): Map<string, number> {
  const named = new Map<string, number>();
  mapMedia(body, ({ value }) => {
    if (value.startsWith('upload:')) named.set(value, (named.get(value) ?? 0) + 1);
    return value;
  });
  return named;
}

export interface FillInOptions {
  readonly store: Pick<UploadTable, 'findUpload'>;
  readonly results: ResultStore | undefined;
  /** The external address of this service, where Kling can reach it. */
  readonly address: string | undefined;
}

/**
 * The request as Kling is to get it: for `upload:<id>` the address of the file,
 * or without one the file itself. To be called last, so that nothing of it is stored.
 *
 * @throws UploadMissingError
 * @throws ResultStoreError when the file cannot be read now
 */
export async function fillIn<T extends object>(
  { store, results, address }: FillInOptions,
  subject: string,
  body: T,
): Promise<T> {
  const contents = new Map<string, string>();
  // One after the other: what is held in memory is then only what is needed.
  for (const value of namedIn(body).keys()) {
    const reference = referenceOf(value, address);
    const upload = reference === undefined ? undefined : await store.findUpload(reference);
    if (upload?.subject !== subject) throw new UploadMissingError(`${value} is not there any longer`);
    contents.set(value, address === undefined ? await base64(results, upload) : publicAddress(upload, address));
  }
  return contents.size === 0 ? body : mapMedia(body, ({ value }) => contents.get(value) ?? value);
}

async function base64(results: ResultStore | undefined, { id }: Upload): Promise<string> {
  const stream = await results?.get(placeOf(id), undefined, AbortSignal.timeout(READ_WITHIN_MS));
  if (stream === undefined) throw new UploadMissingError(`upload:${id} is not there any longer`);
  try {
    return (await buffer(stream)).toString('base64');
  } catch (cause) {
    throw new ResultStoreError('the upload could not be read', { cause });
  }
}

/** What of the media of a request Kling would not take, without making anything. */
export async function mediaProblems(
  context: Looks,
  subject: string,
  kind: Kind,
  body: object,
): Promise<FieldProblem[]> {
  try {
    await checkUploads(context, subject, kind, acceptMedia(body, kind));
    return [];
  } catch (error) {
    if (error instanceof ProblemError && error.details.errors !== undefined) return error.details.errors;
    throw error;
  }
}

/**
 * Hands over the body of what makes no task, judged and filled in, when there is
 * memory for the files that go into it, and as long as they are needed.
 * @throws ProblemError
 */
export async function withMedia<T extends object, R>(
  context: Context,
  request: FastifyRequest,
  body: T,
  use: (filled: T) => Promise<R>,
): Promise<R> {
  const subject = subjectOf(request);
  const accepted = acceptMedia(body, undefined);
  await checkUploads(context, subject, undefined, accepted);
  const { store, uploads } = context;
  const bytes = await inlineBytes({ store, address: uploads.address }, accepted);
  // What came in the body itself has its room already.
  const leave =
    bytes <= SMALL_BODY_BYTES ? () => {} : await context.outgoing.pass(bytes, AbortSignal.timeout(ROOM_WITHIN_MS));
  if (leave === undefined) {
    const detail = 'too many files are on their way to Kling; nothing was done, send it again later';
    throw ownProblem('overloaded', detail, { retryAfterSeconds: 2 });
  }
  try {
    return await use(await filled(context, subject, accepted));
  } finally {
    leave();
  }
}

async function filled<T extends object>({ store, results, uploads }: Context, subject: string, body: T): Promise<T> {
  try {
    return await fillIn({ store, results, address: uploads.address }, subject, body);
  } catch (error) {
    if (error instanceof UploadMissingError) throw ownProblem('upload_not_found', error.message);
    if (error instanceof ResultStoreError) {
      throw ownProblem('results_unavailable', 'send the request again', { retryAfterSeconds: 5 });
    }
    throw error;
  }
}
