/** Series of a KlingApi end with it. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createOperatorMetrics } from './metrics.ts';
import { plan } from './plan.ts';
import { assess } from './remediation/assess.ts';
import { beginRepair } from './remediation/record.ts';
import { klingApiOf, planInputOf, podOf, T0 } from './testing.ts';

it('leaves no series behind that names a KlingApi which is gone', async () => {
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry);
  const klingApi = klingApiOf();
  const pod = assess(podOf(), klingApi.spec.mcp.handshake, T0);
  const repair = { pod, action: 'RestartPod' as const, trigger: 'Handshake' as const };
  const begun = { repair, pods: [pod], actor: 'me', attempt: 1, diagnosis: 'HttpError' };
  const record = { ...beginRepair({ ...begun, log: undefined }, T0), outcome: 'Recovered' as const };
  const made = plan(planInputOf(klingApi, [podOf()]), T0);
  metrics.handshake('media', 'studio', 'Serving');
  const at = new Date(T0).toISOString();
  const pods = ['HttpError', 'HttpError', 'ImagePull'].map((diagnosis, index) => ({
    name: `studio-mcp-${index}`,
    verdict: 'Failing' as const,
    diagnosis,
    since: at,
  }));
  metrics.observe(klingApi, { conditions: [], mcp: { pods } }, { ...made, settled: [record] });
  expect(await registry.metrics()).toMatch(/klingoperator_diagnosis\{[^}]*diagnosis="HttpError"[^}]*\} 2/);
  metrics.observe(klingApi, { conditions: [], mcp: { pods: pods.slice(2) } }, made);
  expect(await registry.metrics()).not.toMatch(/klingoperator_diagnosis\{[^}]*diagnosis="HttpError"/);
  expect(await registry.metrics()).toContain('klingapi="studio"');
  const exposure = { url: 'u', message: 'm', since: at };
  metrics.observe(klingApi, { exposure: { ...exposure, result: 'Failed', reason: 'HttpError' } }, made);
  expect(await registry.metrics()).toMatch(/klingoperator_exposed\{[^}]*reason="HttpError"[^}]*\} 0/);
  metrics.observe(klingApi, { exposure: { ...exposure, result: 'Passed', reason: 'HandshakePassed' } }, made);
  expect((await registry.metrics()).match(/klingoperator_exposed\{.*/g)).toEqual([
    expect.stringMatching(/reason="HandshakePassed"\} 1$/),
  ]);
  metrics.forget('media', 'studio');
  expect(await registry.metrics()).not.toContain('klingapi="studio"');
});
