/** A whole list, fetched in pages. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubeClient, ListOptions } from './client.ts';
import { isGone } from './errors.ts';
import type { Kind } from './kinds.ts';

const PAGE = 500;

/**
 * @returns items of one consistent state and its resourceVersion
 * @throws KubeError when a page fails; an expired continue token starts again, without pages
 */
export async function listAll(
  client: Pick<KubeClient, 'list'>,
  kind: Kind,
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'signal'>,
): Promise<{ items: KubernetesObject[]; resourceVersion: string }> {
  const items: KubernetesObject[] = [];
  let token: string | undefined;
  for (;;) {
    try {
      const page = await client.list(kind, { ...options, limit: PAGE, continue: token });
      for (const item of page.items) items.push(item);
      token = page.metadata?._continue;
      if (token === undefined) return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
    } catch (error) {
      if (token === undefined || !isGone(error)) throw error;
      const whole = await client.list(kind, options);
      return { items: whole.items, resourceVersion: whole.metadata?.resourceVersion ?? '' };
    }
  }
}
