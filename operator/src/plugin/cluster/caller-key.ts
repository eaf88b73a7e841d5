/** The key of a caller, as far as the person may read the Secret that holds it. */
import type { V1Secret } from '@kubernetes/client-node';
import { z } from 'zod';
import { mcpAuth, mcpServer } from '../../resource/absent.ts';
import { childNames } from '../../resource/names.ts';
import type { Invocation } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { Listed } from './klingapis.ts';
import type { Kube } from './kubeconfig.ts';
import { look, type Seen } from './seen.ts';

export const callersSecret = ({ metadata, spec }: Listed): string =>
  spec.api.callersSecretRef?.name ?? childNames(metadata.name).callersSecret;

const structured = z.object({ key: z.string() });

/** A Secret holds a key, a hash of it, or JSON with either; a hash opens no door. */
function keyIn(content: string): string | undefined {
  const text = content.trim();
  const plain = text.startsWith('{') ? structured.safeParse(parsedOrNull(text)).data?.key : text;
  return plain === undefined || plain === '' || plain.startsWith('sha256:') ? undefined : plain;
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** How a Secret holds the key of a caller: itself, in JSON, or only its hash. */
type CallerForm = 'Plain' | 'Json' | 'Hash';
export type CallerForms = ReadonlyMap<string, CallerForm>;

function formOf(content: string): CallerForm {
  if (keyIn(content) === undefined) return 'Hash';
  return content.trim().startsWith('{') ? 'Json' : 'Plain';
}

const contentsOf = (secret: V1Secret): [caller: string, content: string][] =>
  Object.entries(secret.data ?? {}).map(([caller, content]) => [
    caller,
    Buffer.from(content, 'base64').toString('utf8'),
  ]);

export interface CallerKeys {
  readonly secret: Seen<V1Secret>;
  /** Those that are there in clear. */
  readonly keys: ReadonlyMap<string, string>;
}

export async function callerKeys(kube: Kube, klingApi: Listed): Promise<CallerKeys> {
  const name = callersSecret(klingApi);
  const secret = await look(() =>
    kube.client.get<V1Secret>({ apiVersion: 'v1', kind: 'Secret', namespace: kube.namespace, name }),
  );
  const keys = new Map<string, string>();
  if (secret.kind === 'Seen')
    for (const [caller, content] of contentsOf(secret.value)) {
      const key = keyIn(content);
      if (key !== undefined) keys.set(caller, key);
    }
  return { secret, keys };
}

/** @returns undefined where the Secret may not be read, or is not there yet */
export async function callerForms(kube: Kube, klingApi: Listed): Promise<CallerForms | undefined> {
  const { secret } = await callerKeys(kube, klingApi);
  if (secret.kind !== 'Seen') return undefined;
  return new Map(contentsOf(secret.value).map(([caller, content]) => [caller, formOf(content)]));
}

/** Whether a key of the callers opens the door of the MCP server. */
export const takesKeys = ({ spec }: Listed): boolean => mcpServer(spec) === 'Kling' && mcpAuth(spec) === 'callers';

/** For a handshake; without a key it still tells a closed door from a broken server. */
export async function callerHeaders(kube: Kube, klingApi: Listed): Promise<Record<string, string>> {
  if (!takesKeys(klingApi)) return {};
  const { keys } = await callerKeys(kube, klingApi);
  const [key] = keys.values();
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** A key out of a variable, so that it is in no argument. @throws CommandError where the variable is not set */
export function keyInEnvironment({ options, env }: Pick<Invocation, 'options' | 'env'>): string | undefined {
  const variable = options.text('key-env');
  if (variable === undefined) return undefined;
  const key = env[variable]?.trim() ?? '';
  if (key === '') throw new CommandError(`--key-env: the variable ${variable} is not set`);
  return key;
}

/** @param caller the first that is there in clear without it @throws CommandError that says how to get one */
export async function callerKey(kube: Kube, klingApi: Listed, caller: string | undefined): Promise<string> {
  const { secret, keys } = await callerKeys(kube, klingApi);
  const name = callersSecret(klingApi);
  if (secret.kind === 'Refused')
    throw new CommandError(
      `your account may not read Secret ${name} in namespace ${kube.namespace}: ask for that right, or give a key of your own with --key-env NAME`,
    );
  if (secret.kind !== 'Seen')
    throw new CommandError(
      `Secret ${name} in namespace ${kube.namespace} cannot be read: kubectl kling doctor tells more`,
    );
  const key = caller === undefined ? (keys.get('default') ?? [...keys.values()][0]) : keys.get(caller);
  if (key !== undefined) return key;
  throw new CommandError(
    caller === undefined
      ? `Secret ${name} holds no key in clear: give one of yours with --key-env NAME`
      : `Secret ${name} holds no key in clear for caller ${caller}: it has ${[...keys.keys()].join(', ') || 'none'}`,
  );
}
