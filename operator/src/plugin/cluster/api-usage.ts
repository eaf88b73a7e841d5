/** What all callers came to, asked of an API pod by whoever may read the key that our processes sign with. */
import { signAssertion } from '@klingapi/identity';
import type { V1Secret } from '@kubernetes/client-node';
import { z } from 'zod';
import { readJson } from '../../body.ts';
import { API_PORT, childNames } from '../../resource/names.ts';
import type { Invocation } from '../command.ts';
import { CommandError } from '../errors.ts';
import { type Forward, throughForward } from './forward.ts';
import type { Listed } from './klingapis.ts';
import type { Kube } from './kubeconfig.ts';
import { isReady, podsOf } from './pods.ts';
import { rightInWords } from './refusal.ts';
import { look } from './seen.ts';
import { within } from './wait.ts';

/** All tasks of the time are looked at. */
const TIMEOUT_MS = 60_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** The most that the API gives. */
const ROWS = 1_000;
const PATH = '/api/usage/callers';

const sums = { caller: z.string(), failed: z.number(), units: z.number(), usd: z.number() };
const usageSchema = z.object({
  since: z.string(),
  until: z.string(),
  usage: z.array(
    z.looseObject({ ...sums, kind: z.string(), model: z.string(), tasks: z.number(), expectedUnits: z.number() }),
  ),
  calls: z.array(z.looseObject({ ...sums, operation: z.string(), calls: z.number() })),
  failures: z.array(z.looseObject({ caller: z.string(), code: z.string(), message: z.string(), tasks: z.number() })),
  more: z.boolean(),
});
export type ApiUsage = z.output<typeof usageSchema>;

const problemSchema = z.object({ detail: z.string() });

/** @throws CommandError where it may not be read, or is not there */
async function internalKey(kube: Kube, { metadata }: Listed): Promise<string> {
  const { namespace } = kube;
  const name = childNames(metadata.name).internalSecret;
  const secret = await look(() => kube.client.get<V1Secret>({ apiVersion: 'v1', kind: 'Secret', namespace, name }));
  if (secret.kind === 'Refused')
    throw new CommandError(
      `your account may not ${rightInWords(secret.right)}, here Secret ${name}: ask for that right, or give the key of a caller with the scope account with --key-env NAME`,
    );
  const key = secret.kind === 'Seen' ? Buffer.from(secret.value.data?.['key'] ?? '', 'base64').toString('utf8') : '';
  if (key.trim() !== '') return key.trim();
  throw new CommandError(
    `Secret ${name} in namespace ${namespace} holds no key to sign with: kubectl kling doctor ${metadata.name} says whether an operator is there to make it`,
  );
}

/**
 * @param sinceMs how far back from now
 * @param callerKey of a caller with the scope `account`; without it an assertion is signed
 */
export async function usageOfAll(
  { kube: open, now }: Pick<Invocation, 'kube' | 'now'>,
  klingApi: Listed,
  sinceMs: number,
  callerKey: string | undefined,
): Promise<ApiUsage> {
  const kube = open();
  const { name, namespace } = klingApi.metadata;
  const pod = (await podsOf(kube, name, 'api')).find(isReady);
  if (pod === undefined)
    throw new CommandError(`no API pod of ${name} is ready: kubectl kling doctor ${name} -n ${namespace} says why`);
  const key = callerKey ?? (await internalKey(kube, klingApi));
  const target = { namespace, pod: pod.metadata?.name ?? '', port: API_PORT };
  return throughForward(kube, target, async (forward) => {
    // the clock of the pod judges the assertion, and that of this machine may be another
    const { headers, body: health } = await ask(kube, forward, '/api/health', {});
    await health?.cancel();
    const at = Date.parse(headers.get('date') ?? '') || now();
    const token =
      callerKey ?? (await signAssertion({ subject: 'system:usage', audience: 'api', scopes: ['usage'] }, key, at));
    // it tells whole seconds, and what was made in this one counts too
    const until = at + 1_000;
    const query = new URLSearchParams({
      since: new Date(Math.max(0, until - sinceMs)).toISOString(),
      until: new Date(until).toISOString(),
      limit: String(ROWS),
    });
    const reply = await ask(kube, forward, `${PATH}?${query}`, { authorization: `Bearer ${token}` });
    const body = await readJson(reply, MOST_BYTES).catch(() => undefined);
    const { data } = usageSchema.safeParse(reply.ok ? body : undefined);
    if (data !== undefined) return data;
    throw new CommandError(refusalOf(reply.status, problemSchema.safeParse(body).data?.detail, klingApi));
  });
}

async function ask(kube: Kube, forward: Forward, path: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(`http://127.0.0.1:${forward.port}${path}`, {
      headers,
      signal: within(kube, TIMEOUT_MS),
    });
  } catch {
    const failure = forward.failure();
    if (failure !== undefined && 'right' in failure)
      throw new CommandError(`your account may not ${rightInWords(failure.right)}: ask for that right`);
    throw new CommandError(`the API pod does not answer: ${failure?.message ?? `GET ${path.split('?')[0]} broke off`}`);
  }
}

function refusalOf(status: number, detail: string | undefined, { metadata }: Listed): string {
  const answered = `GET ${PATH} answered HTTP ${status}${detail === undefined ? '' : `: ${detail}`}`;
  if (status === 404) return `${answered}; the API of ${metadata.name} is older than this command`;
  if (status === 401) return `${answered}; a key that was changed a moment ago is known to the pods within two minutes`;
  return answered;
}
