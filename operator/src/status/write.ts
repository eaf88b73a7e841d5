/**
 * Writes the status when it changed, under the resourceVersion that it was made from. Where the definition in the cluster is
 * older than this operator, only what it has a place for is written, and the whole is kept here: the operator goes on with what
 * it knows, as long as what stands there is what it wrote.
 */
import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER } from '../apply/manager.ts';
import type { LiveDefinition } from '../definition/live.ts';
import type { KubeClient } from '../kube/client.ts';
import { isConflict, isNotFound } from '../kube/errors.ts';
import { API_VERSION, KIND, type KlingApi } from '../resource/klingapi.ts';
import type { KlingApiStatus } from '../resource/status.ts';
import { OWN_TYPES } from './conditions.ts';
import { printableAll } from './printable.ts';

/** Overtaken: what this look was made from is out of date, so nothing of it may be acted on. */
export type Written = 'Unchanged' | 'Written' | 'Overtaken';

export interface StatusWriter {
  /** The resource with all that this process last said of it, where the API server could not store it all. */
  recall(stored: KlingApi): KlingApi;
  /** @returns Unchanged where the status stands as given already, and nothing was sent */
  write(klingApi: KlingApi, made: KlingApiStatus): Promise<Written>;
  forget(uid: string): void;
}

/** The status of one resource, whole and as it was sent. */
interface Said {
  whole: KlingApiStatus;
  sent: unknown;
  /** Whether they differ. */
  isCut: boolean;
}

/** Tries of one write, each without one field more; a definition that lacks more than these is read at the next look. */
const MOST_TRIES = 16;

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const isOwn = ({ type }: { type: string }): boolean => OWN_TYPES.has(type);
/** What an apply of ours leaves alone is no difference either, or it would be sent at every look. */
const ownPart = (status: KlingApiStatus = {}): unknown =>
  plain(status.conditions === undefined ? status : { ...status, conditions: status.conditions.filter(isOwn) });

function together(stored: KlingApi, known: readonly Said[]): KlingApi {
  const own = ownPart(stored.status);
  const found = known.find(({ sent }) => isDeepStrictEqual(sent, own));
  if (found === undefined) return stored;
  const foreign = stored.status?.conditions?.filter((entry) => !isOwn(entry)) ?? [];
  return { ...stored, status: { ...found.whole, conditions: [...(found.whole.conditions ?? []), ...foreign] } };
}

export function createStatusWriter(
  client: Pick<KubeClient, 'apply'>,
  definition: Pick<LiveDefinition, 'fit' | 'refused'>,
): StatusWriter {
  /** By uid, newest first, and the one before it, which a cache may still show; nothing of a resource that is stored whole. */
  const said = new Map<string, readonly Said[]>();
  /** What the API server holds of a resource that was put together here. */
  const stands = new WeakMap<KlingApi, KlingApiStatus | undefined>();
  /** One answer for each version of a resource, as long as nothing new was said of it. */
  const answered = new WeakMap<KlingApi, { known: readonly Said[]; answer: KlingApi }>();

  function remember(uid: string, whole: KlingApiStatus, sent: unknown): void {
    const before = (said.get(uid) ?? []).filter((entry) => !isDeepStrictEqual(entry.sent, sent));
    const known = [{ whole, sent, isCut: !isDeepStrictEqual(plain(whole), sent) }, ...before].slice(0, 2);
    if (known.some(({ isCut }) => isCut)) said.set(uid, known);
    else said.delete(uid);
  }

  async function send({ metadata }: KlingApi, status: object): Promise<Written> {
    const { name, namespace, resourceVersion, uid } = metadata;
    try {
      await client.apply(
        { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace, resourceVersion, uid }, status },
        { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' },
      );
      return 'Written';
    } catch (error) {
      if (isConflict(error) || isNotFound(error)) return 'Overtaken';
      throw error;
    }
  }

  return {
    recall(stored) {
      const known = said.get(stored.metadata.uid);
      if (known === undefined) return stored;
      const before = answered.get(stored);
      if (before?.known === known) return before.answer;
      const answer = together(stored, known);
      answered.set(stored, { known, answer });
      if (answer !== stored) stands.set(answer, stored.status);
      return answer;
    },
    async write(klingApi, made) {
      const whole = printableAll(made);
      const standing = ownPart(stands.has(klingApi) ? stands.get(klingApi) : klingApi.status);
      for (let tries = 1; ; tries += 1) {
        const sent = plain(definition.fit(whole));
        if (isDeepStrictEqual(standing, sent)) {
          remember(klingApi.metadata.uid, whole, sent);
          return 'Unchanged';
        }
        try {
          const outcome = await send(klingApi, Object(sent));
          if (outcome === 'Written') remember(klingApi.metadata.uid, whole, sent);
          return outcome;
        } catch (error) {
          if (tries >= MOST_TRIES || !(await definition.refused(error))) throw error;
        }
      }
    },
    forget: (uid) => void said.delete(uid),
  };
}
