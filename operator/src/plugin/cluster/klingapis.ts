/** KlingApis as the commands read them. */
import { z } from 'zod';
import { isNotFound } from '../../kube/errors.ts';
import { KINDS } from '../../kube/kinds.ts';
import { API_VERSION, KIND, type KlingApi, klingApiSchema } from '../../resource/klingapi.ts';
import type { Invocation } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Kube } from './kubeconfig.ts';

/** With what only a person's commands ask for. */
const objectSchema = klingApiSchema.extend({
  metadata: klingApiSchema.shape.metadata.extend({
    creationTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional() })).optional(),
  }),
});
export type Listed = KlingApi & z.output<typeof objectSchema>;

function parsed(object: unknown): Listed {
  const result = objectSchema.safeParse(object);
  if (result.success) return result.data;
  throw new CommandError(
    `the KlingApi cannot be read, it may be of another version than this command: ${z.prettifyError(result.error)}`,
  );
}

const NO_CRD =
  'this cluster has no KlingApis: the CustomResourceDefinition is not installed (helm install kling-operator …, or kubectl apply -f crds/)';

/** @param namespace all of them without it */
export async function listKlingApis(kube: Kube, namespace: string | undefined): Promise<Listed[]> {
  try {
    const { items } = await kube.client.list(KINDS.KlingApi, { namespace });
    return items.map(parsed);
  } catch (error) {
    if (isNotFound(error)) throw new CommandError(NO_CRD);
    throw error;
  }
}

/** @throws CommandError where it does not exist */
export async function readKlingApi(kube: Kube, name: string): Promise<Listed> {
  try {
    return parsed(await kube.client.get({ apiVersion: API_VERSION, kind: KIND, namespace: kube.namespace, name }));
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CommandError(
      `there is no KlingApi ${name} in namespace ${kube.namespace}: kubectl kling status -A shows those that there are`,
    );
  }
}

/** The KlingApi that the command line names, or the only one of the namespace. @throws UsageError where there are several */
export async function namedKlingApi({ options, kube }: Invocation): Promise<Listed> {
  const [name] = options.positionals;
  if (name !== undefined) return readKlingApi(kube(), name.replace(/^(klingapis?|kapi)(\.klingapi\.dev)?\//, ''));
  const { namespace } = kube();
  const all = await listKlingApis(kube(), namespace);
  const [only, ...others] = all;
  if (only === undefined)
    throw new CommandError(
      `there is no KlingApi in namespace ${namespace}: choose another with -n, or look with kubectl kling status -A`,
    );
  if (others.length > 0)
    throw new UsageError(
      `namespace ${namespace} has several KlingApis: name one of ${all.map(({ metadata }) => metadata.name).join(', ')}`,
    );
  return only;
}
