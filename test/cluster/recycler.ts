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
const claimRefSchema = z.object({ namespace: z.string(), name: z.string(), uid: z.string().default('') });
const claimsSchema = z.object({ items: z.array(z.object({ metadata: z.object({ uid: z.string() }) })) });
const volumeSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z.object({
    storageClassName: z.string().optional(),
    claimRef: claimRefSchema.optional(),
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

async function recycle(seen: Volume): Promise<void> {
  if (!isReleased(seen)) return;
  // What an event shows may be over: by now the volume may hold the data of its next claim, and its phase lags
  // behind its claimRef. A volume whose claim is gone stays so until this process, and nobody else, takes the name off.
  const volume = volumeSchema.parse(JSON.parse(await api.request('GET', `${path}/${seen.metadata.name}`)));
  const claim = volume.spec.claimRef;
  if (claim === undefined || !isReleased(volume) || (await exists(claim))) return;
  const { metadata } = volume;
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
    console.log(`${new Date().toISOString()} recycled volume=${metadata.name} claim=${claim.namespace}/${claim.name}`);
  } catch (error) {
    console.error(
      `${new Date().toISOString()} could not recycle volume=${metadata.name}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

async function exists({ namespace, name, uid }: z.infer<typeof claimRefSchema>): Promise<boolean> {
  const query = `fieldSelector=metadata.name%3D${encodeURIComponent(name)}`;
  const claims = await api.request('GET', `/api/v1/namespaces/${namespace}/persistentvolumeclaims?${query}`);
  return claimsSchema.parse(JSON.parse(claims)).items.some(({ metadata }) => metadata.uid === uid);
}

function isReleased({ metadata, spec, status }: Volume): boolean {
  return status?.phase === 'Released' && spec.claimRef !== undefined && /^local-\d+$/.test(metadata.name);
}
