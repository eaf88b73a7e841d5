/** Kubernetes objects in the documents: whole ones, pieces of a KlingApi, and the files of docs/examples. */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { filesBelow, type Page, ROOT } from './pages.ts';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  // kinds that only a program on the reader's machine reads, such as Kustomization, have none
  metadata: z.looseObject({ name: z.string() }).optional(),
});
/** A file that is no object, such as values of the chart, says which one in its first line: # values.yaml */
const NAMED_FILE = /^# [\w./-]+\.ya?ml$/m;
/** A block that shows nothing but some fields of a KlingApi. */
const pieceSchema = z.strictObject({ spec: z.looseObject({ upstream: z.unknown().optional() }) });

export interface Resource {
  /** Where it stands. */
  from: string;
  object: z.output<typeof objectSchema>;
}

/** @throws Error that names the place of what is neither an object nor a piece of a KlingApi */
export function resourcesIn(text: string, from: string): Resource[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${from}: ${document.errors[0]?.message}`);
    const content: unknown = document.toJS();
    if (NAMED_FILE.test(text.split('\n', 1)[0] ?? '') && !objectSchema.safeParse(content).success) return [];
    const piece = pieceSchema.safeParse(content);
    const whole = piece.success
      ? {
          apiVersion: 'klingapi.dev/v1alpha1',
          kind: 'KlingApi',
          metadata: { name: 'piece' },
          spec: { upstream: { provider: 'Sandbox' }, ...piece.data.spec },
        }
      : content;
    const object = objectSchema.safeParse(whole);
    if (!object.success) throw new Error(`${from}: neither a Kubernetes object nor a piece of a KlingApi (spec: …)`);
    return [{ from, object: object.data }];
  });
}

export async function documentedResources(pages: readonly Page[]): Promise<Resource[]> {
  const blocks = pages.flatMap(({ path, code }) =>
    code
      .filter(({ language }) => language === 'yaml')
      .flatMap(({ text, heading }) => resourcesIn(text, `${path}, ${heading}`)),
  );
  const examples = await Promise.all(
    (await filesBelow(join(ROOT, 'docs/examples'), '.yaml')).map(async (path) =>
      resourcesIn(await readFile(path, 'utf8'), relative(ROOT, path)),
    ),
  );
  return [...blocks, ...examples.flat()];
}
