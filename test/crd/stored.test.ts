/** Objects that earlier versions stored, under the CRD of this tree: taken as they are, given back whole, read by the operator. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { klingApiSchema } from '@klingapi/operator';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { getJson, kubectl } from '../e2e/kubectl.ts';
import { useNamespace } from './namespace.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/stored');
const namespace = useNamespace('stored');

it.each(readdirSync(FOLDER).filter((file) => file.endsWith('.yaml')))('%s', async (file) => {
  const object = parse(readFileSync(join(FOLDER, file), 'utf8'));
  const { name } = object.metadata;
  await kubectl(['create', '-n', namespace, '-f', '-'], stringify({ ...object, status: undefined }));
  const fresh = await getJson(['get', 'klingapi', name, '-n', namespace]);
  await kubectl(
    ['replace', '--subresource=status', '-n', namespace, '-f', '-'],
    stringify({ ...fresh, status: object.status }),
  );
  const stored = await getJson(['get', 'klingapi', name, '-n', namespace]);
  expect(stored.status).toEqual(object.status);
  expect(stored.spec).toMatchObject(object.spec);
  const read = klingApiSchema.parse(stored);
  expect(read.status).toEqual(object.status);
  expect(read.spec).toMatchObject(object.spec);
  // and what is stored may be written again, which rules that came later could refuse
  await kubectl(['label', 'klingapi', name, '-n', namespace, 'touched=yes']);
});
