/**
 * When a handshake through the public URL is due: after each verification, after a change of `expose` and a minute later, once
 * a minute while it does not pass, and every ten minutes where it does. It runs beside the reconcile loop, one a KlingApi at a
 * time.
 */
import type { LookupFunction } from 'node:net';
import type { HandshakeOptions, HandshakeResult } from '@klingapi/probe';
import { handshakeEras } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { Exposure, Verification } from '../resource/status.ts';
import { exposedEndpoint, judgeExposure, mayCarryCredentials } from './exposure.ts';
import { ADDRESS_REFUSED, isRefusedHost } from './public-addresses.ts';

export interface ExposureDeps {
  handshake: (options: HandshakeOptions) => Promise<HandshakeResult>;
  lookup: LookupFunction;
  /** Domain of the cluster, such as cluster.local. */
  domain?: string | undefined;
  now: () => number;
  /** Waits; injected, so that no test sleeps. */
  pause: (ms: number) => Promise<void>;
  /** Called with the uid when a result is there. */
  onDone: (uid: string) => void;
}

export interface ExposureFollowInput {
  verification: Verification | undefined;
  /** Headers by which the server knows the operator. */
  headers: Record<string, string>;
  /** Whether pods serve, so that a handshake can pass at all. */
  serving: boolean;
  /** Pods come and go, so a controller may be behind for a moment. */
  rollingOut: boolean;
}

export interface ExposureCheck {
  /** Starts a handshake where one is due. @returns the newest result for the present URL */
  follow(klingApi: KlingApi, input: ExposureFollowInput): Exposure | undefined;
  forget(uid: string): void;
}

interface Look {
  /** What it was about; of anything else there is none yet. */
  subject: string;
  at: number;
  running: boolean;
  /** The first after a change passes where the controller still has the route of before. */
  isFirst: boolean;
  result: Exposure | undefined;
}

const RETRY_MS = 60_000;
/** Certificates end and names move without a change here. */
const PASSED_MS = 600_000;
/** From outside the way is longer than to a pod. */
const TIMEOUT_MS = 10_000;
/** A controller learns of a new route and of new pods a moment later. */
const SETTLE_TRIES = 5;
const SETTLE_MS = 3_000;

export function createExposureCheck(deps: ExposureDeps): ExposureCheck {
  const looks = new Map<string, Look>();
  /** Since when nothing serves, by uid. */
  const silent = new Map<string, number>();

  async function shake(klingApi: KlingApi, url: string, headers: Record<string, string>, tries: number) {
    for (let left = tries; ; left -= 1) {
      const outcome = judgeExposure(url, await once(klingApi, url, headers));
      if (outcome.result === 'Passed' || left <= 1) return outcome;
      await deps.pause(SETTLE_MS);
    }
  }

  function once(klingApi: KlingApi, url: string, headers: Record<string, string>): Promise<HandshakeResult> {
    // of these the resolver is not asked
    if (isRefusedHost(new URL(url).hostname.replace(/^\[|\]$/g, ''), deps.domain)) return Promise.resolve(REFUSED);
    return deps.handshake({
      url,
      headers: mayCarryCredentials(url, klingApi.spec) ? headers : {},
      eras: handshakeEras(klingApi.spec),
      timeoutMs: TIMEOUT_MS,
      lookup: deps.lookup,
      followRedirects: false,
    });
  }

  return {
    follow(klingApi, { verification, headers, serving, rollingOut }) {
      const { uid } = klingApi.metadata;
      const url = exposedEndpoint(klingApi);
      if (url === undefined) {
        looks.delete(uid);
        silent.delete(uid);
        return undefined;
      }
      const stored = klingApi.status?.exposure;
      const known = stored?.url === url ? stored : undefined;
      const last = looks.get(uid);
      const subject = JSON.stringify([url, klingApi.spec.expose, verification?.at ?? null]);
      const same = last?.subject === subject;
      const isSure = last?.result?.result === 'Passed' && !last.isFirst;
      const age = deps.now() - (last?.at ?? 0);
      // a clock that was set back tells nothing of the age
      const isOver = (ms: number): boolean => age < 0 || age >= ms;
      const again = isOver(isSure ? PASSED_MS : RETRY_MS);
      // a rollout that stands still is no reason to know nothing any more
      const isTime = serving && (!rollingOut || isOver(PASSED_MS));
      if (serving) silent.delete(uid);
      else if (!silent.has(uid)) silent.set(uid, deps.now());
      const silentMs = deps.now() - (silent.get(uid) ?? deps.now());
      if (silentMs >= PASSED_MS && known !== undefined && last?.running !== true) {
        looks.delete(uid);
        return dated({ url, ...NOT_SERVING }, known, deps.now());
      }
      if (isTime && verification !== undefined && last?.running !== true && (!same || again)) {
        const look: Look = { subject, at: deps.now(), running: true, isFirst: !same, result: undefined };
        looks.set(uid, look);
        shake(klingApi, url, headers, same ? 1 : SETTLE_TRIES).then(
          (outcome) => {
            const at = deps.now();
            Object.assign(look, { at, running: false });
            if (looks.get(uid) !== look) return;
            look.result = dated({ url, ...outcome }, known, at);
            deps.onDone(uid);
          },
          // a URL that is none, say: tried again like one that did not pass
          () => Object.assign(look, { at: deps.now(), running: false }),
        );
      }
      return last?.result?.url === url ? last.result : known;
    },
    forget(uid) {
      looks.delete(uid);
      silent.delete(uid);
    },
  };
}

const NOT_SERVING = {
  result: 'Inconclusive',
  reason: 'NotServing',
  message: 'no MCP pod serves, so the public URL is not asked',
} as const;

/** What stays as it was goes on since then. */
function dated(found: Omit<Exposure, 'since'>, before: Exposure | undefined, now: number): Exposure {
  const same = before?.result === found.result && before.reason === found.reason;
  return { ...found, since: same ? before.since : new Date(now).toISOString() };
}

const REFUSED: HandshakeResult = {
  verdict: 'Unknown',
  diagnosis: null,
  message: '',
  era: null,
  server: null,
  evidence: {
    era: 'Legacy',
    method: 'initialize',
    status: null,
    contentType: null,
    excerpt: null,
    code: null,
    error: ADDRESS_REFUSED,
    phases: { connectMs: null, firstByteMs: null, totalMs: 0 },
  },
};
