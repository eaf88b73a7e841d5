/** KlingApis as the commands read them. */
import { z } from 'zod';
import { isNotFound } from '../../kube/errors.ts';
import { KINDS } from '../../kube/kinds.ts';
import { API_VERSION, KIND, type KlingApi, klingApiSchema } from '../../resource/klingapi.ts';
import type { Invocation } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Kube } from './kubeconfig.ts';
import { look, type Seen } from './seen.ts';

/** With what only a person's commands ask for. */
const objectSchema = klingApiSchema.extend({
  metadata: klingApiSchema.shape.metadata.extend({
    creationTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    managedFields: z.array(z.looseObject({ manager: z.string().optional() })).optional(),
  }),
});
export type Listed = KlingApi & z.output<typeof objectSchema>;

const namedSchema = z.object({ metadata: z.object({ namespace: z.string().default(''), name: z.string() }) });

/** One that is there, and was written by another version. */
export interface Unreadable {
  readonly kind: 'Unreadable';
  readonly namespace: string;
  readonly name: string;
  readonly why: string;
}

function read(object: unknown): { kind: 'Seen'; value: Listed } | Unreadable {
  const result = objectSchema.safeParse(object);
  if (result.success) return { kind: 'Seen', value: result.data };
  const { namespace, name } = namedSchema.safeParse(object).data?.metadata ?? { namespace: '', name: '?' };
  const issues = z.prettifyError(result.error).replace(/\s+/g, ' ');
  const why = `KlingApi ${name} in namespace ${namespace} cannot be read, it may be of another version than this command (kubectl kling version): ${issues}`;
  return { kind: 'Unreadable', namespace, name, why };
}

const NO_CRD =
  'this cluster has no KlingApis: the CustomResourceDefinition is not installed (helm install kling-operator …, or kubectl apply -f crds/)';

interface Found {
  readonly klingApis: Listed[];
  readonly unreadable: Unreadable[];
}

/** @param namespace all of them without it */
async function find(kube: Kube, namespace: string | undefined): Promise<Found> {
  try {
    const { items } = await kube.client.list(KINDS.KlingApi, { namespace });
    const all = items.map(read);
    return {
      klingApis: all.flatMap((entry) => (entry.kind === 'Seen' ? entry.value : [])),
      unreadable: all.filter((entry) => entry.kind === 'Unreadable'),
    };
  } catch (error) {
    if (isNotFound(error)) throw new CommandError(NO_CRD);
    throw error;
  }
}

/**
 * @param namespace all of them without it
 * @param tell told of those that cannot be read, which are left out
 */
export async function listKlingApis(
  kube: Kube,
  namespace: string | undefined,
  tell: (text: string) => void,
): Promise<Listed[]> {
  const { klingApis, unreadable } = await find(kube, namespace);
  for (const { why } of unreadable) tell(`${why}\n`);
  return klingApis;
}

/** Absence is told apart from what is there and cannot be read. */
export async function seeKlingApi(kube: Kube, name: string): Promise<Seen<Listed> | Unreadable> {
  const object = await look(() =>
    kube.client.get({ apiVersion: API_VERSION, kind: KIND, namespace: kube.namespace, name }),
  );
  return object.kind === 'Seen' ? read(object.value) : object;
}

/** @throws CommandError where it does not exist, or cannot be read */
export async function readKlingApi(kube: Kube, name: string): Promise<Listed> {
  try {
    const object = await kube.client.get({ apiVersion: API_VERSION, kind: KIND, namespace: kube.namespace, name });
    const entry = read(object);
    if (entry.kind === 'Seen') return entry.value;
    throw new CommandError(entry.why);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw new CommandError(
      `there is no KlingApi ${name} in namespace ${kube.namespace}: kubectl kling status -A shows those that there are`,
    );
  }
}

/** `klingapi/studio` is how kubectl names it. @returns undefined where the command line names none */
export function nameOn({ options }: Pick<Invocation, 'options'>): string | undefined {
  const name = options.positionals[0]?.replace(/^(klingapis?|kapi)(\.klingapi\.dev)?\//, '');
  if (name === undefined || /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`"${options.positionals[0]}" is no name of a KlingApi`);
}

/** The KlingApi that the command line names, or the only one of the namespace. @throws UsageError where there are several */
export async function namedKlingApi({ options, kube }: Pick<Invocation, 'options' | 'kube'>): Promise<Listed> {
  const name = nameOn({ options });
  if (name !== undefined) return readKlingApi(kube(), name);
  const { namespace } = kube();
  const { klingApis, unreadable } = await find(kube(), namespace);
  const names = [...klingApis.map(({ metadata }) => metadata.name), ...unreadable.map((entry) => entry.name)].sort();
  if (names.length === 0)
    throw new CommandError(
      `there is no KlingApi in namespace ${namespace}: choose another with -n, or look with kubectl kling status -A`,
    );
  if (names.length > 1)
    throw new UsageError(`namespace ${namespace} has several KlingApis: name one of ${names.join(', ')}`);
  const [only] = klingApis;
  if (only !== undefined) return only;
  throw new CommandError(unreadable[0]?.why ?? '');
}
