/**
 * Writes the files that are made from others: the CRD and its copy for the chart, the chart's values with schema and README, the
 * plain manifests, the Grafana dashboards, the pages of resource, metrics, settings and performance, the picture of a repair.
 * `--check` only compares.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { customResourceDefinition, referencePage } from '@klingapi/operator';
import { parse, stringify } from 'yaml';
import { storedRepairSchema } from '../test/demo/stored-repair.ts';
import { plainManifests } from './chart/manifests.ts';
import { chartReadme } from './chart/readme.ts';
import { valuesJsonSchema } from './chart/values-schema.ts';
import { valuesYaml } from './chart/values-yaml.ts';
import { fleet } from './generate/dashboards/fleet.ts';
import { klingapi } from './generate/dashboards/klingapi.ts';
import { money } from './generate/dashboards/money.ts';
import { dashboardJson } from './generate/dashboards/panel.ts';
import { metricsPage } from './generate/metrics-page.ts';
import { performancePage } from './generate/performance-page.ts';
import { repairPicture } from './generate/repair-picture.ts';
import { settingsPage } from './generate/settings-page.ts';

const NOTE = '# Generated from operator/src/resource by `npm run generate`; do not edit.\n';

/** The chart's copy is a template: installed on demand, and kept when it leaves the release, also by Argo CD, which reads no policy of Helm there. */
function chartTemplate(definition: string): string {
  const annotated = definition.replace(
    /^metadata:\n {2}name: (.*)$/m,
    'metadata:\n  name: $1\n  annotations:\n    helm.sh/resource-policy: keep\n    argocd.argoproj.io/sync-options: Prune=false\n  labels:\n    {{- include "kling-operator.labels" . | nindent 4 }}',
  );
  return `${NOTE}{{- if .Values.crds.install }}\n${annotated}{{- end }}\n`;
}

// kubectl and helm read YAML 1.1, in which a bare Off is a boolean
const definition = stringify(customResourceDefinition(), {
  version: '1.1',
  lineWidth: 0,
  aliasDuplicateObjects: false,
});
const repair = storedRepairSchema.parse(parse(await readFile('docs/repair.yaml', 'utf8')));
const files = new Map([
  ['crds/klingapi.dev_klingapis.yaml', `${NOTE}${definition}`],
  ['charts/kling-operator/templates/crd.yaml', chartTemplate(definition)],
  ...[fleet, klingapi, money].map((each): [string, string] => [
    `charts/kling-operator/files/dashboards/${each.uid}.json`,
    dashboardJson(each),
  ]),
  ['charts/kling-operator/values.yaml', valuesYaml()],
  ['charts/kling-operator/values.schema.json', valuesJsonSchema()],
  ['charts/kling-operator/README.md', chartReadme()],
  ['docs/reference/metrics.md', metricsPage()],
  ['docs/reference/settings.md', settingsPage()],
  ['docs/reference/klingapi.md', referencePage()],
  ['docs/performance.md', await performancePage(repair)],
  ['docs/repair.svg', repairPicture(repair, 'en')],
  ['docs/repair.zh.svg', repairPicture(repair, 'zh')],
]);

const check = process.argv.includes('--check');
const stale: string[] = [];
async function bring(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, content] of files) {
    const present = await readFile(path, 'utf8').catch(() => '');
    if (present === content) continue;
    stale.push(path);
    if (check) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    console.log(`Wrote ${path}`);
  }
}

await bring(files);
// rendered from the chart, so after the files that it is made of
await bring(await plainManifests(definition));
if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run npm run generate and commit the result`);
  process.exitCode = 1;
}
