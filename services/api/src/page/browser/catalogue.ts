import type { KindForm } from '../forms.ts';
import { get } from './api.ts';
import type { Abilities } from './form/narrow.ts';
import type { Schema } from './form/schema.ts';

/** All that is known of one kind of task. */
export interface KindOfTask {
  readonly kind: string;
  readonly path: string;
  readonly schema: Schema;
  readonly models: readonly Abilities[];
  readonly example: Readonly<Record<string, unknown>>;
}

type ModelsReply = { kinds: readonly Pick<KindOfTask, 'kind' | 'models' | 'example'>[] };

/** Forms are the same for everybody; what models can do needs a key. */
export async function loadCatalogue(): Promise<readonly KindOfTask[]> {
  const [forms, { kinds }] = await Promise.all([
    get<readonly KindForm[]>('/page/forms.json'),
    get<ModelsReply>('/api/models'),
  ]);
  return forms.map(({ kind, path, schema }) => {
    const found = kinds.find((each) => each.kind === kind);
    return { kind, path, schema, models: found?.models ?? [], example: found?.example ?? {} };
  });
}

export type Group = 'images' | 'videos' | 'audios' | 'other' | 'solutions';

/** Under which heading a kind is offered. Pure. */
export function groupOf({ kind, path }: Pick<KindOfTask, 'kind' | 'path'>): Group {
  if (kind.startsWith('solution-')) return 'solutions';
  if (/^\/api\/(images|try-on)\//.test(path)) return 'images';
  if (path.startsWith('/api/audio/')) return 'audios';
  return /^\/api\/(elements|voices)$/.test(path) ? 'other' : 'videos';
}
