import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { isReady } from '../../cluster/pods.ts';
import type { Facts, ServiceFacts } from '../facts.ts';
import { broken, type Draft, ok, unseen } from '../finding.ts';

const pairs = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');

function selects(service: V1Service, pod: V1Pod): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => pod.metadata?.labels?.[key] === value);
}

/** Ports that the Service names and its pods do not have. */
function strayPort(service: V1Service, pod: V1Pod): string | undefined {
  const names = pod.spec?.containers.flatMap(({ ports = [] }) => ports.map((port) => port.name)) ?? [];
  for (const { targetPort } of service.spec?.ports ?? [])
    if (typeof targetPort === 'string' && Number.isNaN(Number(targetPort)) && !names.includes(targetPort))
      return targetPort;
  return undefined;
}

/**
 * A Service and whether it leads to its pods. That no pod is ready is no fault of the Service.
 * @param title such as `studio-mcp`
 */
export function serviceFinding(
  title: string,
  { service, endpoints }: ServiceFacts,
  pods: Facts['mcp']['pods'],
  { namespace, port }: { namespace: string; port: number },
): Draft {
  const show = `kubectl get service ${title} -n ${namespace} -o yaml`;
  if (service.kind === 'Absent')
    return broken(
      'ServiceMissing',
      `Service ${title} does not exist`,
      `kubectl events -n ${namespace} --for klingapi/${title.replace(/-(mcp|api)$/, '')}`,
    );
  if (service.kind !== 'Seen') return unseen(`Service ${title}`, service);
  const { spec } = service.value;
  if (!spec?.ports?.some((entry) => entry.port === port))
    return broken('PortMissing', `Service ${title} has no port ${port}`, show);
  if (pods.kind === 'Seen' && pods.value.length > 0) {
    const selected = pods.value.filter((pod) => selects(service.value, pod));
    const [some] = selected;
    if (some === undefined)
      return broken(
        'SelectorMatchesNothing',
        `the selector of Service ${title} (${pairs(spec.selector ?? {})}) matches none of its ${pods.value.length} pods: something other than the operator has changed it`,
        show,
        `kubectl get pods -n ${namespace} -l app.kubernetes.io/instance=${title.replace(/-(mcp|api)$/, '')} --show-labels`,
      );
    const stray = strayPort(service.value, some);
    if (stray !== undefined)
      return broken(
        'PortMismatch',
        `Service ${title} sends to the port "${stray}", which no container of its pods has`,
        show,
      );
    const left = selected.filter(isReady).filter((pod) => pod.status?.podIP !== undefined);
    if (
      endpoints.kind === 'Seen' &&
      left.length > 0 &&
      !left.some((pod) => endpoints.value.includes(pod.status?.podIP ?? ''))
    )
      return broken(
        'EndpointsMissing',
        `${left.length} ready pods are not among the addresses of Service ${title}: the endpoint controller of the cluster has not put them there`,
        `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${title}`,
      );
  }
  const addresses = endpoints.kind === 'Seen' ? `, ${endpoints.value.length} addresses take traffic` : '';
  return ok(`Service ${title} leads to its pods at port ${port}${addresses}`);
}

export function service(facts: Facts): Draft {
  const { klingApi, mcp, name, namespace } = facts;
  const port = klingApi.kind === 'Seen' ? klingApi.value.spec.mcp.port : 5510;
  return serviceFinding(`${name}-mcp`, mcp.service, mcp.pods, { namespace, port });
}
