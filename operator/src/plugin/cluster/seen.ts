/** What came of looking at something with the rights of a person: the thing, its absence, a missing right, or another failure. */
import { isNotFound, KubeError } from '../../kube/errors.ts';
import { type Refusal, refusalOf } from './refusal.ts';

export type Seen<T> =
  | { readonly kind: 'Seen'; readonly value: T }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'Refused'; readonly right: Refusal }
  | { readonly kind: 'Failed'; readonly message: string };

export const seen = <T>(value: T): Seen<T> => ({ kind: 'Seen', value });
export const ABSENT: Seen<never> = { kind: 'Absent' };
export const failed = (message: string): Seen<never> => ({ kind: 'Failed', message });

export function notSeen(error: unknown): Seen<never> {
  const right = refusalOf(error);
  if (right !== undefined) return { kind: 'Refused', right };
  if (isNotFound(error)) return ABSENT;
  // whoever pressed Ctrl-C does not want to know what else there is
  if (error instanceof KubeError && error.code !== 'Aborted') return failed(error.message);
  throw error;
}

/** @throws what is no failure of the API server */
export const look = <T>(ask: () => Promise<T>): Promise<Seen<T>> => ask().then(seen, notSeen);

export const given = <T>(thing: Seen<T>): T | undefined => (thing.kind === 'Seen' ? thing.value : undefined);
