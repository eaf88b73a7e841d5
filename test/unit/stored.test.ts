/** What earlier versions stored is read whole: nothing is dropped, nothing is salvaged. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { klingApiSchema } from '@klingapi/operator';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '../fixtures/stored');
const storedSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.record(z.string(), z.unknown()),
  status: z.record(z.string(), z.unknown()),
});
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.yaml'));

it.each(files)('%s', (file) => {
  const stored = storedSchema.parse(parse(readFileSync(join(FOLDER, file), 'utf8')));
  const metadata = { namespace: 'media', uid: 'u', resourceVersion: '1', generation: 1, ...stored.metadata };
  const read = klingApiSchema.parse({ ...stored, metadata });
  expect(read.status).toEqual(stored.status);
  // defaults that are newer than the object may come in addition
  expect(read.spec).toMatchObject(stored.spec);
});

it('the files are those of the page that tells of them', () => {
  const page = readFileSync(join(FOLDER, 'README.md'), 'utf8');
  expect([...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name).sort()).toEqual(files.sort());
});
