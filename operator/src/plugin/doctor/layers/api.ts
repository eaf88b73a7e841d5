import { API_PORT } from '../../../resource/names.ts';
import type { Facts } from '../facts.ts';
import { broken, type Draft, ok, worst } from '../finding.ts';
import { podsFinding } from './pods.ts';
import { serviceFinding } from './service.ts';

function healthFinding({ health, name, namespace, klingApi }: Facts): Draft {
  const log = `kubectl kling logs ${name} -n ${namespace} --component api`;
  if (health.kind === 'Seen') {
    const { pod, ok: isWell, message } = health.value;
    return isWell ? ok(`${pod}: ${message}`) : broken('ApiDown', `${pod} runs and does not answer: ${message}`, log);
  }
  const available =
    klingApi.kind === 'Seen'
      ? klingApi.value.status?.conditions?.find(({ type }) => type === 'ApiAvailable')
      : undefined;
  if (available?.status === 'False') return broken(available.reason, available.message, log);
  return ok(available?.message ?? 'the API was not asked');
}

export function api(facts: Facts): Draft {
  const { name, namespace } = facts;
  const pods = podsFinding(facts, 'api');
  if (pods.state === 'Broken') return pods;
  const service = serviceFinding(`${name}-api`, facts.api.service, facts.api.pods, { namespace, port: API_PORT });
  const whole = worst([service, pods], healthFinding(facts));
  return whole.state === 'Ok' ? healthFinding(facts) : whole;
}
