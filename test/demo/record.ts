/**
 * `sh scripts/run.sh test/demo/record.ts`: one repair at the default settings, on the running test cluster with its images loaded, written down
 * with what others saw meanwhile: a plain health check, and MCP clients of the Service. `npm run generate` draws it.
 */
import { writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { alive, condition, createCase } from '../e2e/case.ts';
import { breakPod, faulty } from '../e2e/faults.ts';
import { getJson, type Json } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { watch } from '../e2e/watcher.ts';
import type { WrittenRepair } from './stored-repair.ts';

const FILE = 'docs/repair.yaml';

/** Asks a plain health check until the pod is gone. @returns what it saw, in milliseconds */
async function watchHealth(url: string, until: () => boolean): Promise<{ at: number; ok: boolean }[]> {
  const seen: { at: number; ok: boolean }[] = [];
  while (!until()) {
    const at = Date.now();
    const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (!until()) seen.push({ at, ok: reply?.status === 200 });
    await pause(250);
  }
  return seen;
}

const kase = await createCase('record');
try {
  await kase.apply({ upstream: { provider: 'Sandbox' }, mcp: faulty });
  await kase.ready();
  const [broken] = alive(await kase.mcpPods());
  const service = await getJson(['get', 'service', 'studio-mcp', '-n', kase.namespace]);
  const client = watch({
    url: `http://${service.spec.clusterIP}:5510/mcp/v1`,
    hostHeader: `studio-mcp.${kase.namespace}.svc:5510`,
    key: await kase.callerKey(),
    everyMs: 100,
  });
  await waitFor(async () => client.samples.filter((sample) => sample.ok).length >= 20, {
    what: 'the client to be served before the fault',
  });
  const brokenAt = Date.now();
  await breakPod(kase, broken, 'session-manager');

  let record: Json;
  const deleted = (): boolean => record?.steps?.some((step: Json) => step.name === 'PodDeleted') === true;
  const health = watchHealth(`http://${broken.status.podIP}:9090/livez`, deleted);
  await waitFor(
    async () => {
      record = (await kase.klingApi()).status?.repairs?.[0];
      return record?.outcome !== undefined;
    },
    { what: 'the repair to end', everyMs: 200 },
  );
  await waitFor(async () => condition(await kase.klingApi(), 'Ready')?.status === 'True', { what: 'Ready again' });
  const samples = await client.stop();

  const gone = Date.parse(record.steps.find((step: Json) => step.name === 'PodDeleted').at);
  const after = (at: number): number => Math.round((at - brokenAt) / 100) / 10;
  const times = (seen: { at: number; ok: boolean }[], wanted: boolean): string =>
    seen
      .filter(({ ok }) => ok === wanted)
      .map(({ at }) => after(at))
      .join(' ');
  const split = (seen: { at: number; ok: boolean }[]) => ({ ok: times(seen, true), failed: times(seen, false) });
  const stored: WrittenRepair = {
    date: new Date(brokenAt).toISOString().slice(0, 10),
    pods: alive(await kase.mcpPods()).length,
    diagnosis: record.diagnosis,
    message: record.evidence.message,
    health: split((await health).filter(({ at }) => at >= brokenAt && at < gone)),
    clients: split(samples.filter(({ at }) => at >= brokenAt - 2_000)),
    steps: record.steps.map(({ name, at, detail }: Json) => ({ name, after: after(Date.parse(at)), detail })),
    summary: record.verification.summary,
  };
  const note =
    '# Written by `sh scripts/run.sh test/demo/record.ts`; `npm run generate` draws docs/repair.svg from it.';
  await writeFile(FILE, `${note}\n${stringify(stored, { lineWidth: 120 })}`);
  console.log(`Wrote ${FILE}`);
} finally {
  await kase.remove();
}
