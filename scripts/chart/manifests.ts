/**
 * Plain manifests for those without Helm: what the chart renders, as bases for kustomize. Images have no registry in them, so that
 * `images:` of a kustomization says where they come from.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { tools } from '../../test/cluster/tools.ts';

export const FOLDER = 'charts/kustomize';
const NOTE = '# Generated from charts/kling-operator by `npm run generate`; do not edit.\n';
const NAMESPACE = 'kling-system';
/** Taken out again: the chart takes no images without a registry. */
const REGISTRY = 'registry.invalid';
/** Their values are the defaults, and `images:` would take them for the image of that name. */
const OF_DEFAULTS = ['OPERATOR_NAME', 'LEADER_ELECTION_LEASE'];
/** What is true only of a release of Helm. */
const OF_HELM = ['helm.sh/chart', 'app.kubernetes.io/managed-by'];

/** File name to content. @param definition the CRD as YAML */
export async function plainManifests(definition: string): Promise<Map<string, string>> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: RESTRICTED } };
  const files = {
    'crd/klingapis.yaml': definition,
    'crd/kustomization.yaml': kustomization({ resources: ['klingapis.yaml'] }),
    'cluster/operator.yaml': documents([namespace, ...(await rendered('cluster'))]),
    'cluster/kustomization.yaml': kustomization({
      namespace: NAMESPACE,
      resources: ['../crd', 'operator.yaml'],
      configurations: ['images.yaml'],
    }),
    'cluster/images.yaml': IMAGES,
    'namespace/operator.yaml': documents(await rendered('namespace')),
    'namespace/kustomization.yaml': kustomization({
      namespace: NAMESPACE,
      resources: ['operator.yaml'],
      configurations: ['images.yaml'],
    }),
    'namespace/images.yaml': IMAGES,
  };
  return new Map(Object.entries(files).map(([name, content]) => [`${FOLDER}/${name}`, `${NOTE}${content}`]));
}

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

/** So that `images:` finds those in variables too: the images of the pods that the operator makes. */
const IMAGES = stringify({ images: [{ kind: 'Deployment', path: 'spec/template/spec/containers/env/value' }] });

const kustomization = (content: Record<string, unknown>): string =>
  stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...content });

const documents = (objects: readonly unknown[]): string =>
  objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');

async function rendered(scope: 'cluster' | 'namespace'): Promise<unknown[]> {
  const { helm } = await tools();
  const sets = [`image.registry=${REGISTRY}`, 'crds.install=false', `scope=${scope}`].flatMap((set) => ['--set', set]);
  const args = ['template', 'kling-operator', 'charts/kling-operator', '--namespace', NAMESPACE, '--skip-tests'];
  const { stdout } = await promisify(execFile)(helm, [...args, ...sets], { maxBuffer: 16 << 20 });
  return parseAllDocuments(stdout.replaceAll(`${REGISTRY}/`, ''))
    .map((document) => document.toJS() as unknown)
    .filter((object) => object !== null)
    .map(plain);
}

/** Without the labels of a release and the variables that go without saying. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((entry) => !OF_DEFAULTS.includes(nameOf(entry))).map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !OF_HELM.includes(name))
      .map(([name, entry]) => [name, plain(entry)]),
  );
}

const nameOf = (entry: unknown): string =>
  typeof entry === 'object' && entry !== null && 'name' in entry ? String(entry.name) : '';
