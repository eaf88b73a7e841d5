/**
 * The definition in the cluster as this operator knows it. It is read at the start, from time to time, and when a write is
 * refused; until it could be read, it is taken for the one that the operator was made with.
 */
import type { KubeClient } from '../kube/client.ts';
import { type Clock, sleep } from '../kube/clock.ts';
import { isInvalid, KubeError } from '../kube/errors.ts';
import type { KubeLog } from '../kube/log.ts';
import { API_VERSION, GROUP, PLURAL } from '../resource/klingapi.ts';
import type { KlingApiStatus } from '../resource/status.ts';
import type { Finding } from '../status/conditions.ts';
import { fit } from './fit.ts';
import { lacking, without } from './lacking.ts';
import { ownSchema, publishedSchema, type SchemaNode } from './schema.ts';

export interface LiveDefinition {
  /** The status as far as the definition in the cluster has a place for it. */
  fit(status: KlingApiStatus): object;
  /** What is to be said of a definition that is older than this operator; null of any other. */
  finding(): Finding | null;
  /** Asks again because of a write that was refused. @returns whether to fit and write once more */
  refused(error: unknown): Promise<boolean>;
  start(): void;
  stop(): Promise<void>;
}

export interface LiveDefinitionOptions {
  readonly client: Pick<KubeClient, 'openApi'>;
  /** Told how many fields and values are missing, after each look. */
  readonly onLook: (missing: number) => void;
  /** Told when other ones are missing than before. */
  readonly onTurn: () => void;
  readonly clock: Clock;
  readonly log: KubeLog;
}

/** While it is older somebody may be about to bring the new one. */
const OUTDATED_MS = 15_000;
const CURRENT_MS = 600_000;
/** What was learned from refusals alone is doubted after this time. */
const DOUBT_MS = 3_600_000;
/** In a message; all of them are in the log. */
const MOST_NAMED = 5;

const NAME = `${PLURAL}.${GROUP}`;

function inWords(missing: readonly string[]): string {
  const more = missing.length - MOST_NAMED;
  const named = missing.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

/** The field that the API server does not know, as it names it; it names one at a time. */
const unknownField = (error: unknown): string | undefined =>
  error instanceof KubeError ? /(\.\S+): field not declared in schema/.exec(error.message)?.[1] : undefined;

export function createLiveDefinition(options: LiveDefinitionOptions): LiveDefinition {
  const { client, onLook, onTurn, clock, log } = options;
  const own = ownSchema();
  const stopped = new AbortController();
  /** Ends the wait for the next look: how long it is follows from what is missing. */
  let turned = new AbortController();
  let running: Promise<void> | undefined;
  let schema = own;
  let missing: readonly string[] = [];
  /** When the schema was last changed by a refusal, not by the document; null: it is as read. */
  let learnedAt: number | null = null;
  let lastError: string | null = null;

  function take(found: SchemaNode): void {
    schema = found;
    const before = missing.join();
    missing = lacking(own, found);
    onLook(missing.length);
    if (missing.join() === before) return;
    turned.abort();
    turned = new AbortController();
    if (missing.length > 0)
      log.warn({ definition: NAME, missing }, 'Definition in the cluster was found to be older than this operator');
    else log.info({ definition: NAME }, 'Definition in the cluster was found to have all that this operator writes');
    onTurn();
  }

  /** @returns whether the document could be read */
  async function look(): Promise<boolean> {
    try {
      const found = publishedSchema(await client.openApi(API_VERSION, { signal: stopped.signal }));
      if (found === undefined) throw new Error('the document does not describe the kind');
      learnedAt = null;
      lastError = null;
      take(found);
      return true;
    } catch (error) {
      if (stopped.signal.aborted) return false;
      if (lastError !== String(error))
        log.warn({ definition: NAME, error: String(error) }, 'Definition could not be read');
      lastError = String(error);
      if (learnedAt !== null && clock.monotonic() - learnedAt > DOUBT_MS) {
        learnedAt = null;
        take(own);
      }
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await look();
      const waitMs = missing.length > 0 ? OUTDATED_MS : CURRENT_MS;
      await sleep(clock, waitMs, AbortSignal.any([stopped.signal, turned.signal]));
    }
  }

  return {
    fit(status) {
      const fitted = fit(status, schema.properties?.['status'] ?? {});
      return typeof fitted === 'object' && fitted !== null ? fitted : {};
    },
    finding: () =>
      missing.length === 0
        ? null
        : {
            reason: 'CrdOutdated',
            message: `the CustomResourceDefinition ${NAME} is older than this operator: it has no ${inWords(missing)}; what is set there is not stored. Repairs go on. Apply the definition of this release (crds.yaml)`,
          },
    async refused(error) {
      const field = unknownField(error);
      if (field === undefined && !isInvalid(error)) return false;
      const before = JSON.stringify(schema);
      await look();
      if (JSON.stringify(schema) !== before) return true;
      // the document cannot be read, or comes from an API server that knows more than the one that refused
      const less = field === undefined ? undefined : without(schema, field);
      if (less === undefined) return false;
      learnedAt = clock.monotonic();
      take(less);
      return true;
    },
    start() {
      running ??= run();
    },
    async stop() {
      stopped.abort();
      await running;
    },
  };
}
