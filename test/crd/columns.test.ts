/** `kubectl get kapi`: whether it works, at a glance. */
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { kstatus } from '../../operator/src/status/kstatus.testing.ts';
import { getJson, kubectl } from '../e2e/kubectl.ts';
import { useNamespace } from './namespace.ts';

const namespace = useNamespace('columns');
const time = '2026-11-24T10:00:00Z';

const condition = (type: string, status: string) => ({
  type,
  status,
  reason: 'Reason',
  message: 'message',
  lastTransitionTime: time,
  observedGeneration: 1,
});

async function make(name: string, status?: Record<string, unknown>): Promise<void> {
  const object = { apiVersion: 'klingapi.dev/v1alpha1', kind: 'KlingApi', metadata: { name } };
  await kubectl(
    ['create', '-n', namespace, '-f', '-'],
    stringify({ ...object, spec: { upstream: { provider: 'Sandbox' } } }),
  );
  if (status === undefined) return;
  const fresh = await getJson(['get', 'klingapi', name, '-n', namespace]);
  await kubectl(['replace', '--subresource=status', '-n', namespace, '-f', '-'], stringify({ ...fresh, status }));
}

const verification = (summary: string) => ({ summary, at: time, checks: [] });

it('shows Ready, the pods that serve, the checks, the repairs and the endpoint', async () => {
  const endpoint = (name: string) => ({ mcp: `http://${name}-mcp.${namespace}.svc:5510/mcp/v1` });
  await make('fine', {
    observedGeneration: 1,
    conditions: [condition('Ready', 'True')],
    mcp: { serving: '2/2' },
    verification: verification('3/3'),
    repairsTotal: 4,
    endpoints: endpoint('fine'),
  });
  await make('broken', {
    observedGeneration: 1,
    conditions: [condition('Accepted', 'True'), condition('Ready', 'False'), condition('Stalled', 'True')],
    mcp: { serving: '0/2' },
    verification: verification('1/3'),
    repairsTotal: 5,
    endpoints: endpoint('broken'),
  });
  await make('new');
  const table = await kubectl(['get', 'kapi', '-n', namespace]);
  const lines = table
    .trimEnd()
    .split('\n')
    .map((line) =>
      line
        .replaceAll(namespace, 'NAMESPACE')
        .replace(/\d+m?s$/, 'AGE')
        .replace(/ {2,}/g, '  '),
    );
  expect(lines).toEqual([
    'NAME  READY  MCP  VERIFIED  REPAIRS  URL  AGE',
    'broken  False  0/2  1/3  5  http://broken-mcp.NAMESPACE.svc:5510/mcp/v1  AGE',
    'fine  True  2/2  3/3  4  http://fine-mcp.NAMESPACE.svc:5510/mcp/v1  AGE',
    'new  AGE',
  ]);
  const all = (await getJson(['get', 'kapi', '-n', namespace])).items;
  expect(all.map((object: Parameters<typeof kstatus>[0]) => kstatus(object))).toEqual([
    'Failed',
    'Current',
    'InProgress',
  ]);
});

it('kubectl wait sees what the conditions say, and does not take a new object for a finished one', async () => {
  await kubectl(['wait', 'klingapi/fine', '-n', namespace, '--for=condition=Ready', '--timeout=10s']);
  await expect(
    kubectl(['wait', 'klingapi/broken', '-n', namespace, '--for=condition=Ready', '--timeout=1s']),
  ).rejects.toThrow('timed out');
  expect((await getJson(['get', 'klingapi', 'new', '-n', namespace])).status).toEqual({ observedGeneration: -1 });
});
