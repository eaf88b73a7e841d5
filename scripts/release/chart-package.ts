/** The chart as a package that names its images, and the same as plain manifests. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, parseDocument, stringify } from 'yaml';
import { tools } from '../../test/cluster/tools.ts';
import { runCommand } from '../images/run-command.ts';
import { settle } from '../images/settle.ts';
import type { PushedImage } from './pushed-images.ts';

const NAME = 'kling-operator';
/** Where the plain manifests put the operator. */
const NAMESPACE = 'kling-system';

export interface ChartImages {
  readonly registry: string;
  /** Those that are named by digest. */
  readonly pushed: readonly PushedImage[];
}

/**
 * Writes `kling-operator-VERSION.tgz` and `kling-operator.yaml`.
 *
 * @param created the time of every file in the package; the same sources are the same bytes then
 */
export async function packageChart(root: string, images: ChartImages, created: Date, folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'chart-'));
  try {
    const chart = join(work, NAME);
    await mkdir(chart);
    await cp(join(root, 'charts', NAME), chart, { recursive: true });
    const values = join(chart, 'values.yaml');
    await writeFile(values, withImages(await readFile(values, 'utf8'), images));
    await settle(chart);
    await setTimes(chart, created);
    const { helm } = await tools();
    await runCommand(helm, ['lint', '--strict', chart]);
    await runCommand(helm, ['package', chart, '--destination', folder]);
    const rendered = await runCommand(helm, ['template', NAME, chart, '--namespace', NAMESPACE]);
    await writeFile(join(folder, `${NAME}.yaml`), manifests(rendered));
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Keeps the comments of the values. */
function withImages(text: string, { registry, pushed }: ChartImages): string {
  const document = parseDocument(text);
  document.setIn(['image', 'registry'], registry);
  for (const { name, digest } of pushed) document.setIn(['images', name.replace(/^kling-/, ''), 'digest'], digest);
  return document.toString({ lineWidth: 0 });
}

async function setTimes(folder: string, time: Date): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true })) await utimes(join(folder, entry), time, time);
}

/** What is not installed by Helm does not say so. */
function manifests(rendered: string): string {
  const objects = parseAllDocuments(rendered).flatMap((document) => {
    if (document.contents === null) return [];
    const owned = document
      .toString({ lineWidth: 0 })
      .replaceAll(/^ *(helm\.sh\/[a-z-]+|app\.kubernetes\.io\/managed-by): .*\n/gm, '');
    // an annotation of Helm alone leaves nothing behind
    return [owned.replaceAll(/^ *annotations:\n(?! {4})/gm, '').replace(/^---\n/, '')];
  });
  const namespace = stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  return [namespace, ...objects].join('---\n');
}
