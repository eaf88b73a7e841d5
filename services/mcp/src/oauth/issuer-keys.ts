import { createLocalJWKSet } from 'jose';
import { z } from 'zod';
import { discoverKeyAddress } from './discovery.ts';
import type { JsonFetcher } from './fetch-json.ts';

/** Keys this old are fetched again before they are used. */
const FRESH_MS = 10 * 60_000;
/** While the issuer is away its last keys still count, this long; then nobody is let in by them. */
const USABLE_MS = 60 * 60_000;
/** Least time between two fetches: tokens with made-up key ids must not become requests to the issuer. */
const COOLDOWN_MS = 15_000;

const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(1000) });

export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The issuer does not answer, so nothing can be said about a token. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('the issuer of access tokens cannot be reached');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export interface IssuerKeys {
  /** @throws IssuerUnavailable */
  current(): Promise<KeySet>;
  /**
   * Newer keys than `seen`, in which a key was not found; null when there are none.
   * @throws IssuerUnavailable
   */
  newerThan(seen: KeySet): Promise<KeySet | null>;
}

export interface IssuerKeysOptions {
  issuer: string;
  fetcher: JsonFetcher;
  /** Milliseconds, any origin, never back. */
  clock: () => number;
  onFetch?: (outcome: 'fetched' | 'failed') => void;
  /** Told each time the issuer could not be asked. */
  onError?: (error: Error) => void;
}

/** Keeps the issuer's keys. Whoever needs them while they are fetched shares that fetch. */
export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { issuer, fetcher, clock } = options;
  let kept: { keys: KeySet; at: number } | null = null;
  let last: { at: number; failed: boolean } | null = null;
  let running: Promise<void> | null = null;

  async function fetchKeys(): Promise<void> {
    try {
      const body = keySetSchema.safeParse(await fetcher.get(await discoverKeyAddress(issuer, fetcher)));
      if (!body.success) throw new Error('the issuer answered with something that is no key set');
      kept = { keys: createLocalJWKSet(body.data), at: clock() };
      last = { at: clock(), failed: false };
      options.onFetch?.('fetched');
    } catch (error) {
      last = { at: clock(), failed: true };
      options.onFetch?.('failed');
      options.onError?.(error instanceof Error ? error : new Error('the issuer could not be asked'));
    }
  }
  const cooldownLeft = () => (last === null ? 0 : Math.max(0, last.at + COOLDOWN_MS - clock()));
  async function refresh(): Promise<void> {
    if (running === null && cooldownLeft() > 0) return;
    running ??= fetchKeys().finally(() => {
      running = null;
    });
    await running;
  }
  const unavailable = () => new IssuerUnavailable(Math.max(1, Math.ceil(cooldownLeft() / 1000)));

  return {
    async current() {
      if (kept !== null && clock() - kept.at < FRESH_MS) return kept.keys;
      await refresh();
      if (kept === null || clock() - kept.at >= USABLE_MS) throw unavailable();
      return kept.keys;
    },
    async newerThan(seen) {
      if (kept !== null && kept.keys !== seen) return kept.keys;
      await refresh();
      if (last?.failed === true) throw unavailable();
      return kept !== null && kept.keys !== seen ? kept.keys : null;
    },
  };
}
