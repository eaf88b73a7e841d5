/** The chart as helm renders it, in one release of one namespace. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { tools } from '../../cluster/tools.ts';

export const CHART = join(import.meta.dirname, '../../../charts/kling-operator');
const run = promisify(execFile);

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
  }),
});
export type Rendered = z.output<typeof objectSchema>;

async function helmed(command: string, args: string[], program?: string): Promise<string> {
  const helm = program ?? (await tools()).helm;
  const all = [command, 'studio-ops', CHART, '--namespace', 'operators', ...args];
  return (await run(helm, all, { maxBuffer: 16 << 20 })).stdout;
}

/** @param args what `helm template` takes besides, such as `--set` */
export const render = (...args: string[]): Promise<string> => renderWith(undefined, ...args);

/** @param program another helm than that of the tests */
export const renderWith = (program: string | undefined, ...args: string[]): Promise<string> =>
  helmed('template', ['--kube-version', '1.34.0', ...args], program);

/** What `helm install` says at its end. */
export async function notes(...args: string[]): Promise<string> {
  const printed = await helmed('install', ['--dry-run=client', ...args]);
  return printed.slice(printed.indexOf('\nNOTES:\n') + '\nNOTES:\n'.length);
}

/** The CRD is long and has its own check. */
export const withoutCrd = (...sets: string[]): Promise<string> =>
  render(
    '--skip-tests',
    ...['image.registry=registry.example.com/team', 'crds.install=false', ...sets].flatMap((set) => ['--set', set]),
  );

/** @throws Error of what is no strict YAML, such as a key that is there twice, which helm takes and kustomize does not */
export const objectsOf = (yaml: string): Rendered[] =>
  parseAllDocuments(yaml)
    .map((document): unknown => {
      for (const error of document.errors) throw error;
      return document.toJS();
    })
    .filter((object) => object !== null && object !== undefined)
    .map((object) => objectSchema.parse(object));

export const kinds = (objects: Rendered[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`).sort();

const deploymentSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({ image: z.string(), env: z.array(z.object({ name: z.string(), value: z.string().optional() })) }),
        ]),
      }),
    }),
  }),
});

/** The operator's container. */
export function containerOf(objects: Rendered[]): { image: string; env: Record<string, string | undefined> } {
  const [container] = deploymentSchema.parse(objects.find(({ kind }) => kind === 'Deployment')).spec.template.spec
    .containers;
  return { image: container.image, env: Object.fromEntries(container.env.map(({ name, value }) => [name, value])) };
}
