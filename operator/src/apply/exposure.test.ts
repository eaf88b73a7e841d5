/** A kind that the cluster lacks is a complaint only where somebody asked for it by name. */
import { describe, expect, it } from 'vitest';
import { klingApiOf } from '../testing.ts';
import { missingKinds } from './exposure.ts';

const httpRoute = { parentRefs: [{ name: 'edge' }], hostnames: ['kling.example'] };
const told = (spec: Record<string, unknown>, ...served: string[]) =>
  missingKinds(klingApiOf(spec), { serves: (kind) => served.includes(kind) });

describe('kinds that the cluster lacks', () => {
  it('are told where they are asked for', () => {
    expect(told({ expose: { httpRoute } })).toEqual({
      reason: 'HTTPRouteNotServed',
      message:
        'this cluster does not serve, or does not let the operator read, HTTPRoute (gateway.networking.k8s.io/v1), which spec.expose.httpRoute asks for: install its CustomResourceDefinition, and it is made within seconds',
    });
    expect(told({ monitoring: { serviceMonitor: 'Enabled' } })).toMatchObject({ reason: 'ServiceMonitorNotServed' });
    expect(told({ expose: { httpRoute }, monitoring: { serviceMonitor: 'Enabled' } })?.message).toMatch(
      /HTTPRoute .*, and ServiceMonitor /,
    );
  });

  it('are no matter otherwise', () => {
    expect(told({})).toBeNull();
    expect(told({ monitoring: { serviceMonitor: 'Disabled' } })).toBeNull();
    expect(told({ expose: { httpRoute } }, 'HTTPRoute')).toBeNull();
  });
});
