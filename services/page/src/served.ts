/** Files of a page as they are sent: typed, named by their content, packed once. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/**
 * Scripts and styles only from files of this service, nothing may be made into
 * HTML, and no other page may frame this one.
 * @param media where pictures and videos may come from
 */
export const pagePolicy = (media: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src ${media}`,
    `media-src ${media}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

export interface ServedFile {
  readonly type: string;
  readonly etag: string;
  readonly plain: Buffer;
  readonly packed: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json; charset=utf-8',
};

/** @param files text by name */
export async function servedFiles(files: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, ServedFile>> {
  const served = Object.entries(files).map(async ([name, text]): Promise<[string, ServedFile]> => {
    const plain = Buffer.from(text);
    const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    // Weak, because it stands for both encodings.
    return [name, { type, etag: `W/"${hash}"`, plain, packed: await promisify(gzip)(plain, { level: 9 }) }];
  });
  return new Map(await Promise.all(served));
}
