import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { apiClient } from './api.ts';
import { volumeFolder } from './storage.ts';

/**
 * A process beside the cluster: watches the PersistentVolumes, and when a claim
 * has let one go, empties its folder and takes the claim's name off, so that it
 * is Available again.
 *
 *     node recycler.ts KUBECONFIG
 */
const volumeSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z.object({
    storageClassName: z.string().optional(),
    claimRef: z.object({ uid: z.string().optional() }).optional(),
  }),
  status: z.object({ phase: z.string().optional() }).optional(),
});
type Volume = z.infer<typeof volumeSchema>;
const listSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }), items: z.array(volumeSchema) });
const eventSchema = z.object({ type: z.string(), object: z.unknown() });

const kubeconfig = process.argv[2];
if (kubeconfig === undefined) throw new Error('usage: recycler.ts KUBECONFIG');
const api = apiClient(kubeconfig);
const path = '/api/v1/persistentvolumes';

for (;;) {
  try {
    const { items, metadata } = listSchema.parse(JSON.parse(await api.request('GET', path)));
    for (const volume of items) await recycle(volume);
    const query = `watch=1&timeoutSeconds=300&resourceVersion=${metadata.resourceVersion}`;
    for await (const line of api.lines(`${path}?${query}`)) {
      const event = eventSchema.parse(JSON.parse(line));
      if (event.type === 'ERROR') break;
      if (event.type === 'ADDED' || event.type === 'MODIFIED') await recycle(volumeSchema.parse(event.object));
    }
  } catch (error) {
    console.error(`${new Date().toISOString()} watch ended: ${error instanceof Error ? error.message : error}`);
    await pause(1000);
  }
}

async function recycle({ metadata, spec, status }: Volume): Promise<void> {
  if (status?.phase !== 'Released' || !/^local-\d+$/.test(metadata.name)) return;
  const folder = volumeFolder(metadata.name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Refused if somebody changed the volume since it was read; the next event brings it again.
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    { op: 'remove', path: '/spec/claimRef' },
  ];
  try {
    await api.request('PATCH', `${path}/${metadata.name}`, JSON.stringify(patch), 'application/json-patch+json');
    console.log(`${new Date().toISOString()} recycled volume=${metadata.name} claim=${spec.claimRef?.uid}`);
  } catch (error) {
    console.error(
      `${new Date().toISOString()} could not recycle volume=${metadata.name}: ${error instanceof Error ? error.message : error}`,
    );
  }
}
