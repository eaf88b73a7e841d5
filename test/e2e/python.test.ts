/** The original software for real: FastMCP 2.5.1, killed by one real request, seen by the sidecar. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { play } from '../docs/play.ts';
import { scriptOf } from '../docs/script.ts';
import { killSessionManager } from '../images/python/kill.ts';
import { alive, type Case, createCase, podIsReady } from './case.ts';
import { toolsThroughService } from './client.ts';
import { PYTHON_IMAGE } from './faults.ts';
import { getJson, type Json } from './kubectl.ts';
import { waitFor } from './wait.ts';

const script = await scriptOf('docs/how-to/another-server.md');
let kase: Case;
beforeAll(async () => {
  kase = await createCase('python');
  await kase.apply({
    upstream: { provider: 'Sandbox' },
    mcp: { image: PYTHON_IMAGE, replicas: 1, handshake: { periodSeconds: 3, timeoutSeconds: 2 } },
    remediation: { unhealthySeconds: 5, backoff: { initialSeconds: 1, maxSeconds: 5 } },
  });
  await kase.ready();
});
afterAll(() => kase?.remove());

it('an old Python server that one request killed is repaired, and its handshakes never hurt it', async () => {
  const [broken] = alive(await kase.mcpPods());
  expect(broken.status.containerStatuses).toHaveLength(2);
  const url = `http://${broken.status.podIP}:5510/mcp/v1`;
  await killSessionManager(url);
  await waitFor(async () => (await fetch(`http://${broken.status.podIP}:5510/health`)).status === 200, {
    what: '/health to stay green',
    timeoutMs: 5_000,
  });
  const record = await kase.repaired();
  expect(record).toMatchObject({ podUid: broken.metadata.uid, diagnosis: 'SessionManagerDown', outcome: 'Recovered' });
  expect(record.evidence.log).toContain('Task group is not initialized');
  const pods = alive(await kase.mcpPods());
  expect(pods).toHaveLength(1);
  expect(podIsReady(pods[0])).toBe(true);
  expect(pods[0].metadata.uid).not.toBe(broken.metadata.uid);
  expect(await toolsThroughService(kase.namespace, kase.mcpUrl(), await kase.callerKey())).toContain('echo');
});

it('and when the same request kills it again, that is said to have a cause which restarting does not remove', async () => {
  const [again] = alive(await kase.mcpPods());
  await killSessionManager(`http://${again.status.podIP}:5510/mcp/v1`);
  const record = await kase.repaired(2);
  expect(record).toMatchObject({ podUid: again.metadata.uid, diagnosis: 'SessionManagerDown', outcome: 'Recovered' });
  expect(record.recurrence.times).toBe(1);
  expect(record.recurrence.message).toMatch(
    /^SessionManagerDown came back \d+ s after the repair of .* restarting does not remove; the last request before it was POST \/mcp\/v1\/? \(HTTP 200\)$/,
  );
  const events = await getJson(['get', 'events.events.k8s.io', '-n', kase.namespace]);
  expect(
    events.items.some(
      ({ reason, note }: Json) => reason === 'RepairStarted' && note.includes('restarting does not remove'),
    ),
  ).toBe(true);
});

it('a server of another make runs as the how-to page says, with headers of a Secret', async () => {
  const adapt = (command: string): string =>
    command.replace('-n media', `-n ${kase.namespace}`).replace(
      /^(kubectl apply .*-f) (docs\/examples\/other-server\.yaml)$/,
      // this image, where it serves; the name, the headers and the patience are those of the example
      `sed 's#image: .*#image: ${PYTHON_IMAGE}#; s#port: .*#port: 5510#; s#path: .*#path: /mcp/v1#' $2 | $1 -`,
    );
  await play(script.commands(), { adapt, env: { TOKEN: 'a-token' } });
  await waitFor(async () => (await kase.klingApi('assistant')).status?.mcp?.serving === '1/1', {
    what: 'the foreign server to serve',
    timeoutMs: 180_000,
  });
  const [pod] = alive(await kase.mcpPods('assistant'));
  expect(JSON.stringify(pod.spec.volumes)).toContain('assistant-headers');
});
