/** Asks the libraries of Argo CD and Flux what they make of KlingApis. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ask } from './program.ts';

const HERE = import.meta.dirname;
const CONFIG = join(HERE, '../../docs/examples/gitops/argocd/argocd-cm.yaml');
const KEY = 'resource.customizations.health.klingapi.dev_KlingApi';

const verdict = z.object({ status: z.string(), message: z.string() });
const answersSchema = z.array(z.object({ argo: verdict, kstatus: verdict }));
export type Answer = z.output<typeof answersSchema>[number];

/** The health check as the example gives it. */
export async function healthCheck(): Promise<string> {
  const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(parse(await readFile(CONFIG, 'utf8')));
  return z.string().parse(data[KEY]);
}

/** @returns one answer an object, in their order */
export async function judge(objects: readonly object[], script: string): Promise<readonly Answer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'judge-'));
  try {
    const file = join(folder, 'health.lua');
    await writeFile(file, script);
    return answersSchema.parse(await ask('judge', '.', [file], objects));
  } finally {
    await rm(folder, { recursive: true });
  }
}
