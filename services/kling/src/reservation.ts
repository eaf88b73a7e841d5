import { ENDPOINTS, type Kind } from './endpoints.ts';
import { type Estimate, estimate } from './price.ts';
import type { KlingRequest } from './schema.ts';
import { type Wishes, wishesOf } from './wishes.ts';

/** The longest result where a given video, sound or script decides. Source: the vendor's pages, 2026-09-20. */
const GIVEN_SECONDS: Readonly<Partial<Record<Kind, number>>> = {
  'motion-control': 30,
  'new-motion-control': 30,
  'lip-sync': 60,
  'face-lip-sync': 60,
  'solution-clothing': 180,
  avatar: 300,
  'solution-talking-agent': 300,
  'solution-subtitle': 300,
};
/** Of a video that is edited: 15.5 s, and a second that has begun. */
const EDITED_SECONDS = 16;
/** Where the request says no length. */
const USUAL_LONGEST_SECONDS = 15;
/** Kling makes no shorter video, whatever a request says. */
const SHORTEST_SECONDS = 3;

/** The dearest lines of the price list, for what is not on it: units of one picture, a second, a whole video. */
export const UNPRICED = { picture: 20, videoSecond: 3, video: 240 } as const;

/**
 * Units that a task costs at most, as far as that can be known before: what a
 * spending limit sets aside until the real cost is told. Never less than {@link estimate}.
 */
export function reservation(kind: Kind, request: KlingRequest): number {
  const wishes = wishesOf(kind, request);
  const expected = estimate(kind, request);
  const seconds = longest(kind, wishes);
  if (expected === undefined || (wishes.seconds ?? SHORTEST_SECONDS) < SHORTEST_SECONDS) {
    if (ENDPOINTS[kind].result === 'images') return UNPRICED.picture * wishes.pictures;
    return Math.min(UNPRICED.video, UNPRICED.videoSecond * seconds);
  }
  return Math.round(expected.units * times(expected, seconds) * 1000) / 1000;
}

function times({ per }: Estimate, seconds: number): number {
  if (per === undefined) return 1;
  return per === 'second' ? seconds : Math.ceil(seconds / 5);
}

function longest(kind: Kind, { referenceVideo, seconds = USUAL_LONGEST_SECONDS }: Wishes): number {
  const given = GIVEN_SECONDS[kind] ?? (referenceVideo === 'base' ? EDITED_SECONDS : undefined);
  return given ?? Math.max(seconds, SHORTEST_SECONDS);
}
