/** The chart's README: how to install, upgrade and remove it, and every value. */
import { type Value, valuesOf } from './values.ts';

export const chartReadme = (): string => `<!-- Generated from scripts/chart by \`npm run generate\`; do not edit. -->
# kling-operator

Installs the KlingApi operator: it runs the Kling media-generation service as API and MCP workloads and repairs the MCP server when it stops speaking MCP. Kubernetes 1.30 or newer, Helm 3.17 or newer; nothing else has to be installed before. The tests run on Kubernetes 1.34 with Helm 4; with Helm 3.17 they render, install, upgrade and roll back, without pods.

## Install

\`\`\`sh
npm run images -- push $REGISTRY
helm install kling-operator charts/kling-operator -n kling-system --create-namespace --set image.registry=$REGISTRY
helm test kling-operator -n kling-system
\`\`\`

\`helm test\` asks the operator whether it is ready, makes a KlingApi on the sandbox, does an MCP handshake with it, and deletes it: half a minute, and nothing to pay. With \`tests.klingApis\` it does handshakes with those that you have. Its pods hold no token and no rights. What they say is shown by \`--logs\`; Helm looks for them in the namespace of the release alone.

The chart of a release names its images and needs no value: \`oci://ghcr.io/OWNER/charts/kling-operator\`, [to be verified first](../../docs/quickstart.md#from-a-release).

For one namespace, without a ClusterRole: \`--set scope=namespace\`, and \`--set crds.install=false\` where an administrator has applied \`crds/\`. For several: [docs/rbac.md](../../docs/rbac.md). Without Helm: [charts/kustomize](../kustomize/README.md).

## The CustomResourceDefinition

It is a template of this chart, so an upgrade of the release upgrades it, which Helm does not do for what lies in \`crds/\`. It carries \`helm.sh/resource-policy: keep\`, and Argo CD's \`Prune=false\`: neither deletes it, because every KlingApi would go with it ([why](../../docs/decisions/0003-crd-in-the-chart.md)).

- **It is there already**, by \`kubectl\` or by another release: \`helm install … --take-ownership --force-conflicts\` and \`--force-conflicts\` again with the first upgrade that changes it, because whoever applied it shares it until then (Helm 3: \`--take-ownership\` alone, as it knows no conflicts); or \`--set crds.install=false\`.
- **Several releases in one cluster**, each for namespaces of its own: one with \`crds.install=true\`, the newest; all others with false.
- **It is applied by GitOps on its own**: \`crds.install=false\`, \`crds/\` before the chart. It is large, so \`kubectl apply\` needs \`--server-side\`.

## Upgrade, roll back

\`\`\`sh
helm upgrade kling-operator charts/kling-operator -n kling-system --reset-then-reuse-values
helm rollback kling-operator -n kling-system
\`\`\`

\`helm rollback\` is for values. To an older version of the chart it would bring the older definition too, which drops newer fields of KlingApis: [go back with \`crds.install=false\`](../../docs/upgrading.md#back-again).

The services go on meanwhile: MCP and API pods are replaced only where their template changed, a few KlingApis at a time (\`maxConcurrentRollouts\`), each verified before the next. The lead passes to the new operator in about a second.

## Uninstall

\`\`\`sh
helm uninstall kling-operator -n kling-system
\`\`\`

Takes the operator and its roles. KlingApis, their pods and data stay and go on serving, without anybody to repair them; a new install takes them over as they are. To remove everything, delete the KlingApis first, while the operator is there, and the definition last:

\`\`\`sh
kubectl delete klingapis --all --all-namespaces
helm uninstall kling-operator -n kling-system
kubectl delete crd klingapis.klingapi.dev
\`\`\`

Volumes of \`reclaim: Retain\`, the default, stay even then.

## High availability

Two replicas, on different nodes and in different zones where there are some: one leads, the other takes over within seconds. A drain evicts one at a time. While no operator runs, nothing is repaired, but a dead MCP pod still leaves its Service, because the readiness probe is the handshake. \`replicas: 1\` makes neither budget nor affinity.

## NetworkPolicy

\`networkPolicy.enabled\` lets the operator reach name servers, the API server, and the pods that it makes, and lets nobody in but \`helm test\` and \`monitoringFrom\`. Name the addresses of the API server in \`networkPolicy.apiServer.to\` where you know them (\`kubectl get endpointslices -n default\`): a policy sees the address behind the Service. The policies of the services themselves are part of each KlingApi (\`spec.networkPolicy\`).

## Values

Names that are not listed here are refused, and so are values out of bounds. Mistakes are told before anything is changed.

| value | what | default |
|---|---|---|
${valuesOf().filter(isLeaf).map(row).join('\n')}
`;

/** Where an object says something that its fields do not, it has a row too. */
const isLeaf = ({ initial, description }: Value): boolean => initial !== undefined || description !== undefined;

function row({ path, description = '', initial }: Value): string {
  const code = initial === undefined || initial === '' ? '' : `\`${JSON.stringify(initial).replaceAll('"', '')}\``;
  return `| \`${path.join('.')}\` | ${cell(description)} | ${cell(code)} |`;
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('OTEL_EXPORTER_OTLP_*', '`OTEL_EXPORTER_OTLP_*`');
