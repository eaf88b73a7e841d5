/** Starts the verifications that are due and hands their results to the status. */
import type { HandshakeOptions, HandshakeResult } from '@klingapi/probe';
import type { Secrets } from '../apply/secrets.ts';
import { upstreamUrl } from '../children/api-pod.ts';
import { handshakeHeaders, verificationAuthorization } from '../observe/credentials.ts';
import type { WorkloadState } from '../observe/workloads.ts';
import type { Plan } from '../plan.ts';
import { handshakeEras } from '../resource/absent.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import { API_PORT, childNames, serviceHost } from '../resource/names.ts';
import type { Verification } from '../resource/status.ts';
import { type CheckTargets, runChecks } from './checks.ts';
import type { VerificationJobs } from './jobs.ts';
import { imageCheck, imageInconclusive, isUndone, verifyRequest } from './policy.ts';

export interface VerifierDeps {
  jobs: VerificationJobs;
  secrets: Secrets;
  handshake: (options: HandshakeOptions) => Promise<HandshakeResult>;
  fetch: typeof fetch;
  now: () => number;
  /** Waits; injected, so that no test sleeps. */
  pause: (ms: number) => Promise<void>;
}

export interface FollowInput {
  plan: Plan;
  revision: string;
  workloads: WorkloadState;
  internalKey: string | undefined;
}

export interface Verifier {
  /** The result of the checks that were asked for under a repair's id. */
  take(klingApi: KlingApi, repairId: string): Verification | undefined;
  /** Starts what is due. @returns the newest verification */
  follow(klingApi: KlingApi, input: FollowInput): Verification | undefined;
}

/** A revision whose checks failed is checked again after so long. */
const RETRY_MS = 60_000;
/** The same where only the picture is missing, for a cause that lies upstream. */
const RETRY_PICTURE_MS = { Sandbox: 15_000, Kling: 900_000, Custom: 900_000 } as const;
/** A Service forgets and learns addresses a moment after the pods change. */
const SETTLE_TRIES = 5;
const SETTLE_MS = 1_000;

export function createVerifier(deps: VerifierDeps): Verifier {
  function targets(
    klingApi: KlingApi,
    revision: string,
    internalKey: string,
    headers: Record<string, string>,
  ): CheckTargets {
    const { namespace, name } = klingApi.metadata;
    const { mcp } = klingApi.spec;
    const names = childNames(name);
    return {
      apiUrl: `http://${serviceHost(names.api, namespace)}:${API_PORT}`,
      mcpUrl: `http://${serviceHost(names.mcp, namespace)}:${mcp.port}${mcp.path}`,
      mcpHeaders: headers,
      eras: handshakeEras(klingApi.spec),
      handshakeTimeoutMs: mcp.handshake.timeoutSeconds * 1_000,
      apiAuthorization: () => verificationAuthorization(internalKey),
      image: imageCheck(klingApi, revision, deps.now()),
    };
  }

  async function handshakeThroughService(options: HandshakeOptions): Promise<HandshakeResult> {
    for (let tries = 1; ; tries += 1) {
      const result = await deps.handshake(options);
      const unsettled = result.verdict === 'Unreachable' || result.verdict === 'Unknown';
      if (!unsettled || tries >= SETTLE_TRIES) return result;
      await deps.pause(SETTLE_MS);
    }
  }

  /** A read that finds nobody is tried again while the Service settles; anything else would be done twice. */
  const settlingFetch: typeof fetch = async (input, init) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await deps.fetch(input, init);
      } catch (error) {
        if ((init?.method ?? 'GET') !== 'GET' || tries >= SETTLE_TRIES) throw error;
        await deps.pause(SETTLE_MS);
      }
    }
  };

  /** @param rollingOut pods of another revision may answer too: then the result speaks of none, and none becomes verified by it */
  function start(
    klingApi: KlingApi,
    subject: string,
    { revision, rollingOut, internalKey }: { revision: string; rollingOut: boolean; internalKey: string },
  ): void {
    const request = verifyRequest(klingApi);
    const of = {
      ...(rollingOut ? {} : { revision }),
      upstream: upstreamUrl(klingApi),
      ...(request === undefined ? {} : { request }),
    };
    deps.jobs.start(klingApi.metadata.uid, subject, of, async () => {
      const headers = await handshakeHeaders(klingApi, deps.secrets, internalKey);
      return runChecks(targets(klingApi, revision, internalKey, headers), {
        fetch: settlingFetch,
        handshake: handshakeThroughService,
        now: deps.now,
      });
    });
  }

  return {
    take: (klingApi, repairId) => deps.jobs.result(klingApi.metadata.uid, repairId),
    follow(klingApi, { plan, revision, workloads, internalKey }) {
      const { uid } = klingApi.metadata;
      const known = klingApi.status?.verification;
      const settled = plan.settled.find((record) => record.verification !== undefined)?.verification;
      const request = verifyRequest(klingApi);
      const open = request !== undefined && request !== known?.request;
      const subject = `${revision}@${known?.at ?? 'never'}${open ? `?${request}` : ''}`;
      const finished = deps.jobs.result(uid, subject);
      const newest = settled ?? finished ?? known;
      const asked = open && (finished !== undefined || !deps.jobs.hasAnswered(uid, request));
      // who asks wants to know what is, also where nothing is ready
      if (internalKey === undefined || (workloads.mcp.ready === 0 && !asked)) return newest;

      const repair = plan.steps.find((step) => step.next.kind === 'Verify');
      if (repair !== undefined) {
        start(klingApi, repair.record.id, { revision, rollingOut: workloads.mcp.rollingOut, internalKey });
        return newest;
      }
      if (asked && settled === undefined) {
        if (finished === undefined)
          start(klingApi, subject, { revision, rollingOut: workloads.mcp.rollingOut, internalKey });
        return newest;
      }
      const underWay = plan.repairs.some((record) => record.outcome === undefined);
      const waitMs = retryAfterMs(klingApi, newest, revision);
      const due = waitMs === 0 || (waitMs !== null && deps.now() - new Date(newest?.at ?? 0).getTime() >= waitMs);
      if (
        !underWay &&
        due &&
        finished === undefined &&
        !workloads.mcp.rollingOut &&
        !workloads.api.rollingOut &&
        workloads.api.ready > 0 &&
        (klingApi.spec.upstream.provider !== 'Sandbox' || workloads.sandbox.ready > 0)
      ) {
        start(klingApi, subject, { revision, rollingOut: false, internalKey });
      }
      return newest;
    },
  };
}

/** @returns milliseconds from the last verification to the next; 0 for a revision or an upstream that had none, null where none is needed */
function retryAfterMs(klingApi: KlingApi, newest: Verification | undefined, revision: string): number | null {
  if (newest?.revision !== revision || newest.upstream !== upstreamUrl(klingApi)) return 0;
  if (newest.checks.some((check) => check.result === 'Failed') || isUndone(newest)) return RETRY_MS;
  return imageInconclusive(newest) ? RETRY_PICTURE_MS[klingApi.spec.upstream.provider] : null;
}
