/** Kinds that come and go while the operator runs, by the smallest definitions that the API server takes. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Json, kubectl, tryKubectl } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { type LocalOperator, startOperator } from './operator.ts';

const definition = (group: string, kind: string, plural: string, approved = false): string =>
  stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      // the API server guards the groups of the community
      ...(approved ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } } : {}),
    },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          },
        },
      ],
    },
  });
const ROUTES = 'httproutes.gateway.networking.k8s.io';
const MONITORS = 'servicemonitors.monitoring.coreos.com';
const routes = definition('gateway.networking.k8s.io', 'HTTPRoute', 'httproutes', true);
const monitors = definition('monitoring.coreos.com', 'ServiceMonitor', 'servicemonitors');
const remove = (...names: string[]): Promise<string> =>
  kubectl(['delete', 'crd', ...names, '--ignore-not-found', '--wait', '--timeout=60s']);

let operator: LocalOperator;
beforeAll(async () => {
  await remove(ROUTES, MONITORS);
  operator = await startOperator('optional');
});
afterAll(async () => {
  await operator?.stop();
  await remove(ROUTES, MONITORS);
});

const missing = (object: Json): Json | undefined =>
  object.status?.conditions?.find((entry: Json) => entry.type === 'OptionalKindsMissing');
const told = (name: string, message: RegExp) =>
  operator.until('klingapi', name, `${message}`, (object) => message.test(missing(object)?.message ?? ''), 30_000);
const there = (kind: string, name: string): Promise<Json> =>
  waitFor(() => operator.get(kind, name), { what: `${kind} ${name}`, timeoutMs: 30_000, everyMs: 300 });
const expose = { httpRoute: { parentRefs: [{ name: 'edge' }], hostnames: ['kling.example'] } };
const upstream = { provider: 'Sandbox' };

it('are told where they are asked for, made when they appear, kept, and told again when they go', {
  timeout: 180_000,
}, async () => {
  await operator.apply({ upstream, expose, monitoring: { serviceMonitor: 'Enabled' } }, 'asks');
  await operator.apply({ upstream }, 'auto');
  const object = await told(
    'asks',
    /HTTPRoute .*spec\.expose\.httpRoute.*ServiceMonitor .*spec\.monitoring\.serviceMonitor/,
  );
  expect(missing(object)).toMatchObject({ status: 'True', reason: 'HTTPRouteNotServed' });
  expect(object.status.conditions.find((entry: Json) => entry.type === 'Stalled')).toBeUndefined();
  // everything else is there
  await there('deployment', 'asks-mcp');
  const quiet = await operator.until('klingapi', 'auto', 'a status', ({ status }) => status?.conditions !== undefined);
  expect(missing(quiet)).toBeUndefined();

  await kubectl(['apply', '-f', '-'], routes);
  const route = await there(ROUTES, 'asks');
  expect(route.spec.hostnames).toEqual(['kling.example']);
  await operator.until(
    'klingapi',
    'asks',
    'one kind less',
    (seen) => missing(seen)?.reason === 'ServiceMonitorNotServed',
  );
  await kubectl(['apply', '-f', '-'], monitors);
  for (const name of ['asks-mcp', 'asks-api', 'auto-mcp', 'auto-api']) await there(MONITORS, name);
  await operator.until('klingapi', 'asks', 'nothing missing', (seen) => missing(seen) === undefined);

  // watched: a foreign edit is undone, a deletion too
  const edit = { spec: { hostnames: ['other.example'] } };
  await kubectl(['patch', ROUTES, 'asks', '-n', operator.namespace, '--type=merge', '-p', JSON.stringify(edit)]);
  await operator.until(ROUTES, 'asks', 'its host', ({ spec }) => spec.hostnames[0] === 'kling.example', 10_000);
  await kubectl(['delete', MONITORS, 'auto-mcp', '-n', operator.namespace]);
  await there(MONITORS, 'auto-mcp');

  // taken away with its block
  await operator.apply({ upstream, monitoring: { serviceMonitor: 'Disabled' } }, 'auto');
  await waitFor(
    async () => (await tryKubectl(['get', MONITORS, 'auto-mcp', 'auto-api', '-n', operator.namespace])).code !== 0,
    { what: 'the monitors of auto to go', timeoutMs: 20_000 },
  );

  await remove(ROUTES);
  await told('asks', /HTTPRoute/);
  await kubectl(['apply', '-f', '-'], routes);
  await there(ROUTES, 'asks');
  await operator.until('klingapi', 'asks', 'nothing missing', (seen) => missing(seen) === undefined);
});
