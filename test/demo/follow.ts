/** Shows what the operator says and does while it does it, from the KlingApi and its Events. */
import { getJson, type Json } from '../e2e/kubectl.ts';
import { waitFor } from '../e2e/wait.ts';
import { dim, fact } from './print.ts';

const NAMESPACE = 'kling-demo';

export const klingApi = (): Promise<Json> => getJson(['get', 'klingapi', 'studio', '-n', NAMESPACE]);

const seconds = (since: number, at: string): string =>
  `${((new Date(at).getTime() - since) / 1_000).toFixed(1)} s`.padStart(8);

/** Waits for the end of a repair that began after `since`, and prints each step of its record as it appears. */
export async function followRepair(since: number): Promise<Json> {
  const told = new Set<string>();
  return waitFor(
    async () => {
      const object = await klingApi();
      const failing = object.status?.mcp?.pods?.find(
        (pod: Json) => pod.verdict === 'Failing' || pod.verdict === 'Unreachable',
      );
      if (failing !== undefined && !told.has('HandshakeFailed')) {
        told.add('HandshakeFailed');
        fact(
          `${seconds(since, failing.since)}  ${'HandshakeFailed'.padEnd(19)} ${dim(`${failing.name}: ${failing.diagnosis}`)}`,
        );
      }
      const record = object.status?.repairs?.find(
        (entry: Json) => new Date(entry.startedAt).getTime() >= since - 1_000,
      );
      for (const step of record?.steps ?? []) {
        if (told.has(step.name)) continue;
        told.add(step.name);
        fact(`${seconds(since, step.at)}  ${step.name.padEnd(19)} ${dim((step.detail ?? '').slice(0, 110))}`);
      }
      return record?.outcome !== undefined && record;
    },
    { what: 'the repair to end', timeoutMs: 180_000, everyMs: 300 },
  );
}

/** Waits until the kubelet has restarted the container. */
export const followRestart = (pod: Json): Promise<Json> =>
  waitFor(
    async () => {
      const now = await getJson(['get', 'pod', pod.metadata.name, '-n', NAMESPACE]);
      const status = now.status.containerStatuses?.[0];
      return status?.restartCount > 0 && status.ready === true && now;
    },
    { what: 'the kubelet to restart the container', timeoutMs: 120_000 },
  );
