/** What one layer shows. */
import { rightInWords } from '../cluster/refusal.ts';
import type { Seen } from '../cluster/seen.ts';

/** From the cluster inward, in the order of a request, and then on to the upstream. */
export const LAYERS = [
  'Cluster',
  'Operator',
  'KlingApi',
  'Exposure',
  'Service',
  'Pods',
  'Handshake',
  'API',
  'Upstream',
] as const;
export type Layer = (typeof LAYERS)[number];

/** `Note`: it works, and somebody should know something. `Unused`: this KlingApi has no such layer. */
export type State = 'Ok' | 'Broken' | 'Note' | 'Unknown' | 'Unused';

export interface Finding {
  readonly layer: Layer;
  readonly state: State;
  /** In one word; a diagnosis where there is one. */
  readonly reason: string;
  /** What was seen, in one sentence without its full stop. */
  readonly seen: string;
  /** Commands to run next, or a sentence where no command helps. */
  readonly next: readonly string[];
}

export type Draft = Omit<Finding, 'layer'>;

export const ok = (seen: string): Draft => ({ state: 'Ok', reason: 'Ok', seen, next: [] });
export const broken = (reason: string, seen: string, ...next: string[]): Draft => ({
  state: 'Broken',
  reason,
  seen,
  next,
});
export const note = (reason: string, seen: string, ...next: string[]): Draft => ({ state: 'Note', reason, seen, next });
export const unknown = (reason: string, seen: string, ...next: string[]): Draft => ({
  state: 'Unknown',
  reason,
  seen,
  next,
});
export const unused = (seen: string): Draft => ({ state: 'Unused', reason: 'Unused', seen, next: [] });

/** Why something could not be looked at. @param what such as `the pods` */
export function unseen(what: string, thing: Exclude<Seen<unknown>, { kind: 'Seen' }>): Draft {
  switch (thing.kind) {
    case 'Refused':
      return unknown('Forbidden', `${what}: your account may not ${rightInWords(thing.right)}`);
    case 'Failed':
      return unknown('NotSeen', `${what}: ${thing.message}`);
    case 'Absent':
      return unknown('NotSeen', `${what}: not there`);
  }
}

const WORST_FIRST: readonly State[] = ['Broken', 'Unknown', 'Note', 'Ok', 'Unused'];

/** The worst of several, the first of those that are equally bad. @param last what is judged after all others */
export const worst = (drafts: readonly Draft[], last: Draft): Draft =>
  drafts.reduceRight(
    (found, draft) => (WORST_FIRST.indexOf(draft.state) <= WORST_FIRST.indexOf(found.state) ? draft : found),
    last,
  );
