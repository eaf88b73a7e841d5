/** The CRD of this tree, applied and served. */
import { getJson, type Json, kubectl } from './kubectl.ts';
import { waitFor } from './wait.ts';

export async function installCrd(): Promise<void> {
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', 'crds/']);
  await crdIsServed();
}

export async function crdIsServed(): Promise<void> {
  // kubectl wait gives up at once where the object has no conditions yet
  await waitFor(
    async () => {
      const { status } = await getJson(['get', 'crd', 'klingapis.klingapi.dev']);
      return (
        status?.conditions?.some((entry: Json) => entry.type === 'Established' && entry.status === 'True') === true
      );
    },
    { what: 'the CRD to be served', timeoutMs: 30_000, everyMs: 200 },
  );
  // and discovery, which kubectl asks, follows a moment later
  await waitFor(async () => (await kubectl(['get', 'klingapis', '-A'])) !== undefined, {
    what: 'klingapis to be listed',
    timeoutMs: 30_000,
    everyMs: 200,
  });
}
