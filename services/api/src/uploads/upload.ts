import { z } from 'zod';
import { EXTENSIONS, mediaTypeSchema } from './media-type.ts';

/** Ids as callers send them; no database is asked for what cannot be one. */
export const uploadId = z.uuid();

/** A file of a caller as it is stored. Times are Unix milliseconds. */
export const uploadSchema = z.object({
  id: z.string(),
  subject: z.string(),
  /** In its public address instead of the id, which is in requests and logs: who has it may read the file. */
  token: z.string(),
  type: mediaTypeSchema,
  bytes: z.int().min(1),
  sha256: z.string(),
  /** Of pictures. */
  width: z.int().optional(),
  height: z.int().optional(),
  createdAt: z.number(),
  /** When it cannot be used any longer; tasks that use it by then still have it. */
  expiresAt: z.number(),
});
export type Upload = z.infer<typeof uploadSchema>;

export const uploadReplySchema = z.object({
  id: z.string(),
  url: z.string().describe('To be given wherever a picture, video or sound is; good until expiresAt'),
  type: mediaTypeSchema.describe('By the content of the file'),
  bytes: z.int(),
  sha256: z.string().describe('64 hexadecimal digits'),
  width: z.int().optional().describe('Pixels; only of pictures'),
  height: z.int().optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
export type UploadReply = z.infer<typeof uploadReplySchema>;

const SCHEME = 'upload:';

/** @param publicUrl the external address of this service, if Kling can reach it */
export function describeUpload(upload: Upload, publicUrl: string | undefined): UploadReply {
  const { id, type, bytes, sha256, width, height } = upload;
  return {
    id,
    url: publicUrl === undefined ? SCHEME + id : publicAddress(upload, publicUrl),
    ...{ type, bytes, sha256 },
    ...(width === undefined || height === undefined ? {} : { width, height }),
    createdAt: new Date(upload.createdAt).toISOString(),
    expiresAt: new Date(upload.expiresAt).toISOString(),
  };
}

/** Where anybody who knows the address gets the file. */
export function publicAddress({ token, type }: Pick<Upload, 'token' | 'type'>, publicUrl: string): string {
  return `${publicUrl}/uploads/${token}.${EXTENSIONS[type]}`;
}

/** Its place in the store of results. */
export function placeOf(id: string): { taskId: string; index: number } {
  return { taskId: `upload-${id}`, index: 0 };
}

/** What a field of a request names: an upload by its id, or by the public address that it has here. */
export type Reference = { readonly id: string } | { readonly token: string };

export function referenceOf(value: string, publicUrl: string | undefined): Reference | undefined {
  if (value.startsWith(SCHEME)) return { id: uploadId.safeParse(value.slice(SCHEME.length)).data ?? '' };
  const prefix = publicUrl === undefined ? undefined : `${publicUrl}/uploads/`;
  if (prefix === undefined || !value.startsWith(prefix)) return undefined;
  return { token: tokenOf(value.slice(prefix.length)) ?? '' };
}

/** The token in the last part of a public address. */
export function tokenOf(file: string): string | undefined {
  return /^([A-Za-z0-9_-]{43})\.[a-z0-9]{3,4}$/.exec(file)?.[1];
}
