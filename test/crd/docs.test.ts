/** Objects of the documents and the examples: the real API server takes each of them. */
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readPages } from '../docs/pages.ts';
import { documentedResources } from '../docs/resources.ts';
import { kubectl } from '../e2e/kubectl.ts';
import { useNamespace } from './namespace.ts';

const namespace = useNamespace('docs');
/** Kinds of others (GitOps, monitoring, gateways) are taken where the API server has them, and only read elsewhere. */
const served = new Set((await kubectl(['api-versions'])).split('\n'));
const resources = (await documentedResources(await readPages())).filter(
  ({ object }) => object.kind === 'KlingApi' || served.has(object.apiVersion),
);

it.each(resources.map(({ from, object }) => [`${from}: ${object.kind} ${object.metadata?.name}`, object] as const))(
  '%s',
  async (_, object) => {
    const { metadata } = object;
    // namespaces of others, such as Argo CD's, are not here
    const here = metadata?.['namespace'] === undefined ? object : { ...object, metadata: { ...metadata, namespace } };
    const told = await kubectl(['create', '-n', namespace, '--dry-run=server', '-f', '-'], stringify(here));
    expect(told).toContain('created (server dry run)');
  },
);
