/** What is counted of a KlingApi, and that its series end with it. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createDowntime } from './downtime.ts';
import { createOperatorMetrics } from './metrics.ts';
import { plan } from './plan.ts';
import { assess } from './remediation/assess.ts';
import { beginRepair } from './remediation/record.ts';
import { klingApiOf, planInputOf, podOf, T0 } from './testing.ts';

const WORKLOADS = { mcp: { ready: 1, wanted: 2 }, api: { ready: 0, wanted: 1 } };

it('leaves no series behind that names a KlingApi which is gone', async () => {
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry, () => T0);
  const made = klingApiOf();
  const klingApi = { ...made, metadata: { ...made.metadata, creationTimestamp: '2026-11-24T10:00:00Z' } };
  const pod = assess(podOf(), klingApi.spec.mcp.handshake, T0);
  const repair = { pod, action: 'RestartPod' as const, trigger: 'Handshake' as const };
  const begun = { repair, pods: [pod], actor: 'me', attempt: 1, diagnosis: 'HttpError' };
  const record = { ...beginRepair({ ...begun, log: undefined }, T0), outcome: 'Recovered' as const };
  const decided = plan(planInputOf(klingApi, [podOf()]), T0);
  metrics.handshake('media', 'studio', 'Serving');
  const at = new Date(T0).toISOString();
  const pods = ['HttpError', 'HttpError', 'ImagePull'].map((diagnosis, index) => ({
    name: `studio-mcp-${index}`,
    verdict: 'Failing' as const,
    diagnosis,
    since: at,
  }));
  const checks = [
    { name: 'ApiHealth' as const, result: 'Passed' as const, message: '' },
    { name: 'McpHandshake' as const, result: 'Failed' as const, message: '' },
    { name: 'ImageGeneration' as const, result: 'Skipped' as const, message: '' },
  ];
  const verification = { summary: '1/2', checks, at };
  metrics.observe(
    klingApi,
    { conditions: [], mcp: { pods }, verification },
    { ...decided, settled: [record] },
    WORKLOADS,
  );
  expect(await registry.metrics()).toMatch(/klingoperator_diagnosis\{[^}]*diagnosis="HttpError"[^}]*\} 2/);
  metrics.observe(klingApi, { conditions: [], mcp: { pods: pods.slice(2) } }, decided, WORKLOADS);
  expect(await registry.metrics()).not.toMatch(/klingoperator_diagnosis\{[^}]*diagnosis="HttpError"/);
  const text = await registry.metrics();
  const at10 = Date.parse('2026-11-24T10:00:00Z') / 1_000;
  expect(text).toContain(`klingoperator_created_timestamp_seconds{namespace="media",klingapi="studio"} ${at10}`);
  expect(text).toContain('klingoperator_mcp_pods_wanted{namespace="media",klingapi="studio"} 2');
  expect(text).toContain('klingoperator_api_pods_ready{namespace="media",klingapi="studio"} 0');
  expect(text).toContain('klingoperator_repairs_allowed{namespace="media",klingapi="studio"} 5');
  expect(text).toMatch(/verification_check\{[^}]*check="ApiHealth"\} 1/);
  expect(text).toMatch(/verification_check\{[^}]*check="McpHandshake"\} 0/);
  expect(text).not.toContain('check="ImageGeneration"');
  expect(await registry.metrics()).toContain('klingapi="studio"');
  const exposure = { url: 'u', message: 'm', since: at };
  metrics.observe(klingApi, { exposure: { ...exposure, result: 'Failed', reason: 'HttpError' } }, decided, WORKLOADS);
  expect(await registry.metrics()).toMatch(/klingoperator_exposed\{[^}]*reason="HttpError"[^}]*\} 0/);
  metrics.observe(
    klingApi,
    { exposure: { ...exposure, result: 'Passed', reason: 'HandshakePassed' } },
    decided,
    WORKLOADS,
  );
  expect((await registry.metrics()).match(/klingoperator_exposed\{.*/g)).toEqual([
    expect.stringMatching(/reason="HandshakePassed"\} 1$/),
  ]);
  metrics.forget('media', 'studio');
  expect(await registry.metrics()).not.toContain('klingapi="studio"');
});

it('begins the series of repairs before their first count, so that increase() sees it', async () => {
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry, () => T0);
  const klingApi = klingApiOf();
  const pod = assess(podOf(), klingApi.spec.mcp.handshake, T0);
  const repair = { pod, action: 'RestartPod' as const, trigger: 'Handshake' as const };
  const begun = { repair, pods: [pod], actor: 'me', attempt: 1, diagnosis: 'HttpError' };
  const record = beginRepair({ ...begun, log: undefined }, T0);
  const made = plan(planInputOf(klingApi, [podOf()]), T0);
  metrics.observe(klingApi, {}, { ...made, repairs: [record] }, WORKLOADS);
  const text = await registry.metrics();
  expect(text).toContain('klingoperator_repair_seconds_count{namespace="media"} 0');
  expect(text).toMatch(/klingoperator_repairs_total\{[^}]*diagnosis="HttpError",outcome="Recovered"\} 0/);
});

it('shows of one that cannot be read that it needs a person, and nothing else, until it can be read', async () => {
  const registry = new Registry();
  const metrics = createOperatorMetrics(registry, () => 0);
  const klingApi = klingApiOf();
  const made = plan(planInputOf(klingApi, [podOf()]), T0);
  metrics.observe(klingApi, {}, made, WORKLOADS);
  metrics.unreadable('media', 'studio');
  const of = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.includes('klingapi="studio"'));
  expect(await of()).toEqual([
    'klingoperator_condition{namespace="media",klingapi="studio",type="Accepted"} 0',
    'klingoperator_condition{namespace="media",klingapi="studio",type="Ready"} 0',
    'klingoperator_condition{namespace="media",klingapi="studio",type="Stalled"} 1',
  ]);
  metrics.observe(klingApi, { conditions: [] }, made, WORKLOADS);
  expect((await of()).join()).not.toContain('type="Stalled"');
});

it('counts the time without MCP between scrapes, from the first time that it served', async () => {
  let time = 0;
  const registry = new Registry();
  const downtime = createDowntime(registry, () => time);
  const own = { namespace: 'media', klingapi: 'studio' };
  const see = (status: 'True' | 'False' | 'Unknown', wanted = 2, uid = 'uid-1'): void => {
    const lastTransitionTime = new Date(T0).toISOString();
    const entry = { type: 'McpAvailable', status, reason: 'X', message: '', lastTransitionTime };
    downtime.observe(own, uid, { conditions: [entry] }, wanted);
  };
  const counted = async (): Promise<number> =>
    Number(/down_seconds_total\{[^}]*\} (\S+)/.exec(await registry.metrics())?.[1]);
  see('False');
  time += 60_000;
  expect(await counted(), 'its first start').toBe(0);
  see('True');
  time += 60_000;
  see('False');
  time += 7_000;
  expect(await counted(), 'a scrape while it goes on').toBe(7);
  time += 5_500;
  see('True');
  time += 60_000;
  expect(await counted()).toBe(12.5);
  see('Unknown');
  time += 60_000;
  see('False', 0);
  time += 60_000;
  expect(await counted(), 'neither what nobody knows nor what nobody wants').toBe(12.5);
  see('False', 2, 'uid-2');
  time += 60_000;
  expect(await counted(), 'the first start of another that took the name').toBe(12.5);
  downtime.forget(own);
  expect(await registry.metrics()).not.toContain('klingapi="studio"');
});

it('goes on counting for one that was verified under an earlier operator', async () => {
  let time = 0;
  const registry = new Registry();
  const downtime = createDowntime(registry, () => time);
  const lastTransitionTime = new Date(T0).toISOString();
  const entry = { type: 'McpAvailable', status: 'False' as const, reason: 'X', message: '', lastTransitionTime };
  downtime.observe(
    { namespace: 'media', klingapi: 'studio' },
    'uid-1',
    { conditions: [entry], revisions: { verified: 'r1' } },
    1,
  );
  time += 3_000;
  expect(await registry.metrics()).toContain('{namespace="media",klingapi="studio"} 3');
});
