import { buffer } from 'node:stream/consumers';
import type { Kind } from '@klingapi/kling';
import type { Context } from '../context.ts';
import { type FieldProblem, ownProblem, ProblemError } from '../problem.ts';
import { type ResultStore, ResultStoreError } from '../results/result-store.ts';
import type { UploadTable } from '../storage/store.ts';
import { type FieldRule, mapMedia, ruleOf } from '../tasks/media-fields.ts';
import { acceptPictures, refusedMedia } from '../tasks/pictures.ts';
import { mediumOf } from './media-type.ts';
import { placeOf, publicAddress, type Reference, referenceOf, type Upload } from './upload.ts';

const MB = 1024 * 1024;
/** Of all uploads that go into one request as Base64: as much as a request of a caller may hold itself. */
const INLINE_BYTES = 24 * MB;
const READ_WITHIN_MS = 60_000;

/** An upload is gone that a request needs. */
export class UploadMissingError extends Error {
  override readonly name = 'UploadMissingError';
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
  { store, uploads, now }: Pick<Context, 'store' | 'uploads' | 'now'>,
  subject: string,
  kind: Kind | undefined,
  body: object,
): Promise<string[]> {
  const named: { field: string; rule: FieldRule; reference: Reference }[] = [];
  mapMedia(body, (media) => {
    const reference = referenceOf(media.value, uploads.address);
    if (reference !== undefined) named.push({ field: media.field, rule: ruleOf(media, kind), reference });
    return media.value;
  });
  const errors: FieldProblem[] = [];
  const ids = new Set<string>();
  let inline = 0;
  for (const { field, rule, reference } of named) {
    const upload = await store.findUpload(reference);
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
  mapMedia(body, ({ value }) => {
    if (value.startsWith('upload:')) contents.set(value, value);
    return value;
  });
  // One after the other: what is held in memory is then only what is needed.
  for (const value of contents.keys()) {
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
  context: Pick<Context, 'store' | 'uploads' | 'now'>,
  subject: string,
  kind: Kind,
  body: object,
): Promise<FieldProblem[]> {
  try {
    await checkUploads(context, subject, kind, acceptPictures(body, kind));
    return [];
  } catch (error) {
    if (error instanceof ProblemError && error.details.errors !== undefined) return error.details.errors;
    throw error;
  }
}

/** The body of what makes no task, judged and filled in. @throws ProblemError */
export async function acceptMedia<T extends object>(context: Context, subject: string, body: T): Promise<T> {
  const accepted = acceptPictures(body, undefined);
  await checkUploads(context, subject, undefined, accepted);
  const { store, results, uploads } = context;
  try {
    return await fillIn({ store, results, address: uploads.address }, subject, accepted);
  } catch (error) {
    if (error instanceof UploadMissingError) throw ownProblem('upload_not_found', error.message);
    if (error instanceof ResultStoreError) {
      throw ownProblem('results_unavailable', 'send the request again', { retryAfterSeconds: 5 });
    }
    throw error;
  }
}
