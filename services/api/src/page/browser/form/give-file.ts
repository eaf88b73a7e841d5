import { explain, Refused, request } from '../api.ts';
import { words } from '../words.ts';
import type { Schema } from './schema.ts';

/** A file of this machine that a request can name. */
export interface GivenFile {
  /** As the field of the request takes it. */
  readonly value: string;
  /** Whether it is in the request itself. */
  readonly isInline: boolean;
}

/** Where the route for uploads is missing; every other refusal is told. */
const NO_UPLOADS = new Set([404, 405]);
/** Schemas that take Base64 allow texts of this length. */
const BASE64_FROM = 1_000_000;

const underWay = new Set<Promise<unknown>>();

/** Counts as under way until its field has taken what came of it. */
export function giving(taken: Promise<void>): void {
  const whole = taken.finally(() => underWay.delete(whole));
  underWay.add(whole);
}

/** Resolves when no file is on its way, those too that were given meanwhile. */
export async function filesGiven(): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay);
}

/** Uploads it; where that is not offered, as Base64 if the field takes that. @returns the problem in words */
export async function giveFile(file: File, schema: Schema, signal: AbortSignal): Promise<GivenFile | string> {
  try {
    const reply = await request('/api/uploads', {
      method: 'POST',
      headers: { 'content-type': file.type || 'application/octet-stream' },
      body: file,
      signal,
    });
    const { url }: { url: string } = await reply.json();
    return { value: url, isInline: false };
  } catch (error) {
    if (!(error instanceof Refused) || !NO_UPLOADS.has(error.status)) return words.uploadFailed(explain(error));
  }
  const most = schema.format === 'uri' || (schema.maxLength ?? 0) < BASE64_FROM ? 0 : ((schema.maxLength ?? 0) * 3) / 4;
  if (most === 0) return words.noUploads;
  if (file.size > most) return words.tooLarge(Math.floor(most / 1_000_000));
  return await readBase64(file).then(
    (value) => ({ value, isInline: true }),
    (error: unknown) => words.uploadFailed(String(error)),
  );
}

function readBase64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^data:[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
