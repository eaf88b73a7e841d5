/** Asks the libraries of Argo CD and Flux what they make of KlingApis. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { parse } from 'yaml';
import { z } from 'zod';
import { cacheFolder } from '../../scripts/images/cache-folder.ts';
import { digestOf } from '../../scripts/images/digest.ts';
import { runCommand } from '../../scripts/images/run-command.ts';

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

/** Built once (a minute or two, from Go modules), then from the cache. */
async function program(): Promise<string> {
  const digest = await digestOf(HERE, ['go.mod', 'go.sum', 'main.go']);
  const path = cacheFolder('gitops', `judge-${digest.slice(0, 16)}`);
  await mkdir(cacheFolder('gitops'), { recursive: true });
  await runCommand('go', ['build', '-trimpath', '-buildvcs=false', '-o', path, '.'], { cwd: HERE });
  return path;
}

/** @returns one answer an object, in their order */
export async function judge(objects: readonly object[], script: string): Promise<readonly Answer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'judge-'));
  try {
    const file = join(folder, 'health.lua');
    await writeFile(file, script);
    const child = spawn(await program(), [file], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify(objects));
    return answersSchema.parse(await json(child.stdout));
  } finally {
    await rm(folder, { recursive: true });
  }
}
