import { ENDPOINTS, type Kind } from './endpoints.ts';

export interface Labels {
  readonly externalId: string;
  readonly callbackUrl: string | undefined;
}

/** Where a create goes, and what it carries, in the shape of the kind's family. Pure. */
export function createCall(kind: Kind, request: object, labels: Labels): { path: string; body: unknown } {
  const { path, family } = ENDPOINTS[kind];
  const ours = {
    external_task_id: labels.externalId,
    ...(labels.callbackUrl === undefined ? {} : { callback_url: labels.callbackUrl }),
  };
  if (family === 'legacy') return { path, body: { ...request, ...ours } };
  const { model_name: model, options, ...rest } = { model_name: undefined, options: {}, ...request };
  return {
    path: family === 'new' ? `${path}/${encodeURIComponent(String(model))}` : path,
    body: { ...rest, options: { ...options, ...ours } },
  };
}

/** The queries that find one task by the vendor's id or by the external one; the first that knows it counts. */
export function findPaths(kind: Kind, id: string): readonly string[] {
  const { path, family } = ENDPOINTS[kind];
  const encoded = encodeURIComponent(id);
  if (family === 'legacy') return [`${path}/${encoded}`];
  const list = family === 'new' ? '/tasks' : '/solutions';
  return [`${list}?external_task_ids=${encoded}`, `${list}?task_ids=${encoded}`];
}
