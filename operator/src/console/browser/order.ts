import { STANDINGS } from '../standing-kinds.ts';
import type { Summary } from '../view.ts';

/** Who needs a person first, then by namespace and name. Pure. */
export function inOrder(fleet: Iterable<Summary>): Summary[] {
  const rank = ({ standing }: Summary): number => STANDINGS.indexOf(standing.kind);
  const key = ({ namespace, name }: Summary): string => `${namespace}/${name}`;
  return [...fleet].sort((a, b) => rank(a) - rank(b) || (key(a) < key(b) ? -1 : 1));
}
