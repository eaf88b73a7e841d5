import { explain, Refused, request } from '../api.ts';
import { words } from '../words.ts';
import type { Schema } from './schema.ts';

/** A file of this machine that a request can name. */
export interface GivenFile {
  /** As the field of the request takes it. */
  value(): string;
  /** Whether it is in the request itself. */
  readonly isInline: boolean;
  readonly preview: string;
}

/** Where uploads are not offered. */
const NO_UPLOADS = new Set([404, 405, 415, 501, 503]);
/** Schemas that take Base64 allow texts of this length. */
const BASE64_FROM = 1_000_000;

const underWay = new Set<Promise<unknown>>();
/** Resolves when no file is on its way. */
export const filesGiven = async (): Promise<void> => void (await Promise.all(underWay));

/** Uploads it; where that is not offered, as Base64 if the field takes that. @returns the problem in words */
export async function giveFile(file: File, schema: Schema): Promise<GivenFile | string> {
  const giving = give(file, schema);
  underWay.add(giving);
  return await giving.finally(() => underWay.delete(giving));
}

async function give(file: File, schema: Schema): Promise<GivenFile | string> {
  const preview = URL.createObjectURL(file);
  try {
    const reply = await request('/api/uploads', {
      method: 'POST',
      headers: { 'content-type': file.type || 'application/octet-stream' },
      body: file,
    });
    const { url }: { url: string } = await reply.json();
    return { value: () => url, isInline: false, preview };
  } catch (error) {
    if (!(error instanceof Refused) || !NO_UPLOADS.has(error.status)) return words.uploadFailed(explain(error));
  }
  const most = schema.format === 'uri' || (schema.maxLength ?? 0) < BASE64_FROM ? 0 : ((schema.maxLength ?? 0) * 3) / 4;
  if (most === 0) return words.noUploads;
  if (file.size > most) return words.tooLarge(Math.floor(most / 1_000_000));
  const base64 = await readBase64(file);
  return { value: () => base64, isInline: true, preview };
}

function readBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^data:[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
