import { KINDS, MODELS } from '@klingapi/kling';
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './errors.ts';

/** What is read of a model here; the rest goes through, so that a newer API does not need a newer MCP service. */
export const modelSchema = z.looseObject({
  id: z.string(),
  seconds: z.string().optional(),
  resolutions: z.array(z.string()).optional(),
  note: z.string().optional(),
});
export type Model = z.infer<typeof modelSchema>;

/** In the order in which the API tells them; the first model of a kind is the one that is taken without a choice. */
export type Kinds = readonly { kind: string; models: Model[] }[];

export interface Catalogue {
  /** Kinds of tasks with their models. Never fails and never takes long: whoever asks gets the best that is known. */
  kinds(): Promise<Kinds>;
}

export interface CatalogueOptions {
  api: Pick<ApiClient, 'revalidate'>;
  /** Milliseconds, any origin, never set back. */
  now: () => number;
}

const PATH = '/api/models';
const replySchema = z.object({ kinds: z.array(z.object({ kind: z.string(), models: z.array(modelSchema) })) });
/** Where the API does not say for how long its answer is good. */
const FRESH_SECONDS = 300;
/** Somebody waits for it, and there is something to show without it. */
const PATIENCE_MS = 3_000;
/** Between two tries of an API that did not answer. */
const CALM_MS = 10_000;

/** What this release would do, which is a guess while it is not known which release the API is. */
const OWN: Kinds = KINDS.map((kind) => ({ kind, models: MODELS[kind].map((model) => modelSchema.parse(model)) }));

/**
 * The models as the API knows them: the two services are released and replaced on
 * their own, and it is the API that takes or refuses a model. Kept in memory for as
 * long as the API says, then asked for again with its ETag; all who ask meanwhile
 * wait for the same call. What was told last stands in for an API that cannot be
 * asked, and this release's own catalogue for one that never answered.
 */
export function createCatalogue({ api, now }: CatalogueOptions): Catalogue {
  let kept: { kinds: Kinds; etag: string | undefined } = { kinds: OWN, etag: undefined };
  let askAgainAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      // The same for everybody, so it is asked for nobody in particular, and not given up when one of them leaves.
      const call = { subject: 'system:mcp', scopes: ['read'] as const, signal: AbortSignal.timeout(PATIENCE_MS) };
      const { body, etag, maxAgeSeconds } = await api.revalidate(call, PATH, kept.etag, replySchema);
      if (body !== null) kept = { kinds: body.kinds, etag };
      askAgainAt = now() + (maxAgeSeconds ?? FRESH_SECONDS) * 1000;
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof Error && error.name === 'TimeoutError')) throw error;
      askAgainAt = now() + CALM_MS;
    }
  }

  return {
    async kinds() {
      if (now() < askAgainAt) return kept.kinds;
      asking ??= refresh().finally(() => {
        asking = undefined;
      });
      await asking;
      return kept.kinds;
    },
  };
}
