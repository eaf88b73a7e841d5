import { ENDPOINTS, estimate, type Kind, type KlingRequest } from '@klingapi/kling';
import { type PackType, rounded } from '../packs.ts';

/** Given sounds and videos are not looked at; each counts for so long. */
export const GIVEN_SECONDS = 5;

export interface Price {
  readonly units: number;
  readonly pack: PackType;
}

/** As the vendor's price list has it; what is not on it costs as much as a usual picture or silent video. */
export function price(kind: Kind, request: KlingRequest, count: number, seconds: number): Price {
  const told = estimate(kind, request);
  if (told === undefined) {
    if (ENDPOINTS[kind].result === 'images') return { units: 8 * count, pack: 'image' };
    return { units: rounded(0.3 * seconds), pack: 'video' };
  }
  return { units: rounded(told.per === 'second' ? told.units * GIVEN_SECONDS : told.units), pack: told.pack };
}
