import { z } from 'zod';
import { accountName } from './authorization.ts';

/** What `PUT /sandbox/packs` takes: the resource packs of one account, or of every account that has none of its own. */
export const packsSchema = z.strictObject({
  account: z.string().min(1).max(2048).optional(),
  packs: z
    .array(
      z.strictObject({
        type: z.enum(['video', 'image']),
        units: z.number().min(0).max(1e9),
        /** Tasks at once; a picture counts for one. */
        slots: z.int().min(1).max(10_000).optional(),
        /** Of the sandbox's time, from now. */
        expiresInSeconds: z.number().min(0).max(1e9).optional(),
      }),
    )
    .max(20),
});
export type PacksRequest = z.infer<typeof packsSchema>;
export type PackType = 'video' | 'image';

export interface Pack {
  readonly id: string;
  readonly type: PackType;
  readonly total: number;
  left: number;
  readonly slots: number | undefined;
  /** Unix milliseconds. */
  readonly since: number;
  readonly until: number;
}

export interface Packs {
  set(request: PacksRequest): void;
  /** Undefined: the account may spend without end. */
  of(account: string): readonly Pack[] | undefined;
  /** Takes units from the packs of the type that are still good, oldest first; false, and nothing taken, when they do not suffice. */
  take(account: string, type: PackType, units: number): boolean;
  /** The highest of the packs that are still good. */
  slots(account: string, type: PackType): number | undefined;
  clear(): void;
}

const MOST_ACCOUNTS = 10_000;
const USUAL_SECONDS = 180 * 86_400;

export function createPacks(now: () => number): Packs {
  const accounts = new Map<string, readonly Pack[]>();
  let usual: PacksRequest['packs'] | undefined;

  const make = (account: string, wanted: PacksRequest['packs']): readonly Pack[] => {
    const packs = wanted.map(({ type, units, slots, expiresInSeconds = USUAL_SECONDS }, at) => ({
      ...{ id: `${accountName(account)}-${type}-${at}`, type, total: units, left: units, slots },
      ...{ since: now(), until: now() + expiresInSeconds * 1000 },
    }));
    accounts.set(account, packs);
    const [oldest] = accounts.keys();
    if (accounts.size > MOST_ACCOUNTS && oldest !== undefined) accounts.delete(oldest);
    return packs;
  };
  const of = (account: string) => accounts.get(account) ?? (usual === undefined ? undefined : make(account, usual));
  const good = (account: string, type: PackType) =>
    of(account)?.filter((pack) => pack.type === type && pack.until > now() && pack.left > 0);

  return {
    set({ account, packs }) {
      if (account !== undefined) return void make(account, packs);
      usual = packs;
    },
    of,
    take(account, type, units) {
      const packs = good(account, type);
      if (packs === undefined || units === 0) return true;
      let due = units;
      if (packs.reduce((sum, { left }) => sum + left, 0) < due) return false;
      for (const pack of packs) {
        const taken = Math.min(pack.left, due);
        pack.left = rounded(pack.left - taken);
        due -= taken;
      }
      return true;
    },
    slots(account, type) {
      const slots = good(account, type)?.flatMap((pack) => pack.slots ?? []) ?? [];
      return slots.length === 0 ? undefined : Math.max(...slots);
    },
    clear() {
      accounts.clear();
      usual = undefined;
    },
  };
}

/** Units have three places at most; sums of binary fractions have more. */
export function rounded(units: number): number {
  return Math.round(units * 1000) / 1000;
}
