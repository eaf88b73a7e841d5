/** When a verification is due, and whether it makes a picture (which costs money outside the sandbox). */
import { upstreamUrl } from '../children/api-pod.ts';
import { type KlingApi, VERIFY_ANNOTATION } from '../resource/klingapi.ts';
import type { KlingApiStatus, Verification } from '../resource/status.ts';
import { printable } from '../status/printable.ts';
import { isOwnTrouble } from './cause.ts';
import type { CheckTargets } from './checks.ts';

const DAY_MS = 86_400_000;

/** Times of pictures within the last 24 hours. */
export const recentImages = (status: KlingApiStatus, now: number): string[] =>
  (status.imageChecks ?? []).filter((time) => now - new Date(time).getTime() < DAY_MS);

/** A picture whose failure lay upstream says nothing yet, so it is tried again. */
export const imageInconclusive = (verification: Verification | undefined): boolean =>
  verification?.checks.some((check) => check.name === 'ImageGeneration' && check.result === 'Inconclusive') ?? false;

/** A check that the operator could not do for its own trouble says nothing yet. */
export const isUndone = (verification: Verification | undefined): boolean =>
  verification?.checks.some((check) => check.result === 'Inconclusive' && isOwnTrouble(check.reason)) ?? false;

/** As much of a request as the status can hold: what is compared later has to be what was stored. */
const REQUEST_LENGTH = 256;

/** Value of the annotation klingapi.dev/verify, which asks for one verification; undefined where nobody asked. */
export function verifyRequest({ metadata }: KlingApi): string | undefined {
  const asked = metadata.annotations?.[VERIFY_ANNOTATION];
  return asked === undefined || asked === '' ? undefined : printable(asked.slice(0, REQUEST_LENGTH));
}

/** @param revision revision of the MCP workload that is to be verified */
export function imageCheck(klingApi: KlingApi, revision: string, now: number): CheckTargets['image'] {
  const { spec, status = {} } = klingApi;
  const { image, maxPerDay } = spec.verification;
  if (image === 'Never') return { run: false, reason: 'spec.verification.image is Never' };
  const known = status.verification?.upstream === upstreamUrl(klingApi) && status.revisions?.verified === revision;
  if (image === 'Auto' && spec.upstream.provider !== 'Sandbox' && known && !imageInconclusive(status.verification)) {
    return { run: false, reason: 'a picture costs money, and this revision made one before' };
  }
  if (recentImages(status, now).length >= maxPerDay) {
    return { run: false, reason: `spec.verification.maxPerDay (${maxPerDay}) is reached` };
  }
  return { run: true };
}
