import { KINDS, type Kind, REQUESTS } from '@klingapi/kling';
import { z } from 'zod';
import { CREATE_ROUTES } from '../tasks/create-routes.ts';

/** What the page needs to build the form of one kind of task. */
export interface KindForm {
  readonly kind: Kind;
  /** Where it is made. */
  readonly path: string;
  readonly summary: string;
  /** JSON Schema (draft 2020-12) of the request as it is sent. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export function describeForms(): readonly KindForm[] {
  return KINDS.map((kind) => {
    const [path, summary] = CREATE_ROUTES[kind];
    const { $schema: _, ...schema } = z.toJSONSchema(REQUESTS[kind], { io: 'input' });
    return { kind, path: `/api/${path}`, summary, schema };
  });
}
