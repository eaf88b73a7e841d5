/** `docs/rbac.md` explains the rules that the chart gives, all of them and no others. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { tools } from '../cluster/tools.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const roleSchema = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string() }),
  rules: z
    .array(
      z.object({
        apiGroups: z.array(z.string()),
        resources: z.array(z.string()),
        verbs: z.array(z.string()),
        resourceNames: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

/** One line a rule, as the document has it. */
async function rendered(...sets: string[]): Promise<Record<string, string[]>> {
  const { helm } = await tools();
  const values = ['image.registry=localhost', 'crds.install=false', ...sets].flatMap((set) => ['--set', set]);
  const chart = join(ROOT, 'charts/kling-operator');
  const { stdout } = await promisify(execFile)(helm, ['template', 'kling-operator', chart, ...values]);
  const roles = parseAllDocuments(stdout).flatMap((document) => roleSchema.safeParse(document.toJS()).data ?? []);
  return Object.fromEntries(
    roles.flatMap(({ kind, metadata, rules }) =>
      rules === undefined
        ? []
        : [
            [
              `${kind} ${metadata.name}`,
              rules.map(({ apiGroups, resources, verbs, resourceNames }) =>
                [
                  apiGroups.map((group) => (group === '' ? 'core' : `\`${group}\``)).join(', '),
                  resources.map((name) => `\`${name}\``).join(', ') +
                    (resourceNames === undefined ? '' : ', that of the release alone'),
                  verbs.join(', '),
                ].join(' | '),
              ),
            ],
          ],
    ),
  );
}

/** The tables of the document, without their last column. */
async function explained(heading: string): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs/rbac.md'), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| (.+) \| (.+?) \|$/gm)].slice(1);
  for (const [row, , why] of rows) expect(why, row).toMatch(/\w{3,}/);
  return rows.map(([, rule]) => rule ?? '');
}

it.each([
  ['the whole cluster', [], 'ClusterRole kling-operator'],
  ['a list of namespaces', ['scope=namespace', 'watchNamespaces={red,blue}'], 'Role kling-operator'],
])('each rule is explained, for %s', async (_, sets, role) => {
  expect((await rendered(...sets))[role]).toEqual(await explained('Rules where it watches'));
});

it('and those of the election', async () => {
  const rules = (await rendered())['Role kling-operator-leader-election'];
  expect(rules).toEqual(await explained('Rules in the namespace of the release'));
});
