/** Kubernetes objects in the documents: whole ones, pieces of a KlingApi, and the files of docs/examples. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { filesBelow, type Page, ROOT } from './pages.ts';

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  // kinds that only a program on the reader's machine reads, such as Kustomization, have none
  metadata: z.looseObject({ name: z.string() }).optional(),
});
/** A file that is no object says which one in its first line: # alerts.yaml */
const NAMED_FILE = /^# [\w./-]+\.ya?ml$/;
/** What the chart can be told. */
const VALUES = new Set(
  Object.keys(z.looseObject({}).parse(parse(readFileSync(join(ROOT, 'charts/kling-operator/values.yaml'), 'utf8')))),
);

function isNoObject(text: string, content: unknown): boolean {
  if (objectSchema.safeParse(content).success) return false;
  const keys = Object.keys(z.looseObject({}).safeParse(content).data ?? {});
  return NAMED_FILE.test(text.split('\n', 1)[0] ?? '') || (keys.length > 0 && keys.every((key) => VALUES.has(key)));
}

/** A block that shows nothing but some fields of a KlingApi. */
const pieceSchema = z.strictObject({ spec: z.looseObject({ upstream: z.unknown().optional() }) });

export interface Resource {
  /** Where it stands. */
  from: string;
  object: z.output<typeof objectSchema>;
}

/** @throws Error that names the place of what is neither an object, a piece of a KlingApi, nor values of the chart */
export function resourcesIn(text: string, from: string): Resource[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${from}: ${document.errors[0]?.message}`);
    const content: unknown = document.toJS();
    if (isNoObject(text, content)) return [];
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
    if (!object.success)
      throw new Error(`${from}: neither a Kubernetes object, a piece of a KlingApi (spec: …), nor values of the chart`);
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
