import { isReady } from '../../cluster/pods.ts';
import { ago } from '../../terminal/duration.ts';
import type { Facts } from '../facts.ts';
import { broken, type Draft, ok, unknown } from '../finding.ts';

export function upstream({ klingApi, sandbox, name, namespace, now }: Facts): Draft {
  if (klingApi.kind !== 'Seen') return unknown('NotSeen', 'the upstream is not known');
  const { spec, status } = klingApi.value;
  const at = `${name} -n ${namespace}`;
  const { provider } = spec.upstream;
  if (provider === 'Sandbox' && sandbox.kind === 'Seen' && !sandbox.value.some(isReady))
    return broken(
      'UpstreamDown',
      `no pod of the sandbox is ready (${sandbox.value.length} there)`,
      `kubectl describe pods -n ${namespace} -l klingapi.dev/name=${name},app.kubernetes.io/component=sandbox`,
    );
  const condition = status?.conditions?.find(({ type }) => type === 'UpstreamReachable');
  if (condition === undefined)
    return unknown('NotVerifiedYet', 'no picture was asked of it yet', `kubectl kling verify ${at}`);
  const verifiedAt = status?.verification?.at;
  const when = verifiedAt === undefined ? '' : ` (${ago(verifiedAt, now)})`;
  const told = `${provider}: ${condition.message}${when}`;
  if (condition.status === 'True') return ok(told);
  if (condition.status === 'False') {
    const secret = spec.upstream.apiKeySecretRef ?? spec.upstream.accessKeySecretRef;
    return broken(
      condition.reason,
      told,
      ...(condition.reason === 'UpstreamKeyInvalid' && secret !== undefined
        ? [`put the right key into Secret ${secret.name}: kubectl edit secret ${secret.name} -n ${namespace}`]
        : []),
      `kubectl kling verify ${at}`,
      `kubectl kling logs ${at} --component api`,
    );
  }
  return unknown(
    condition.reason,
    told,
    `kubectl kling verify ${at}`,
    `kubectl kling picture ${name} "a red kite" -n ${namespace}`,
  );
}
