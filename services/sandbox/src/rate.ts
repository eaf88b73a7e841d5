import type { Rate } from './world.ts';

const MOST_ACCOUNTS = 10_000;

/** So many calls of one account in any real second. */
export function createRate(perSecond: number, now: () => number = () => performance.now()): Rate {
  const calls = new Map<string, number[]>();
  return {
    take(account) {
      const recent = (calls.get(account) ?? []).filter((at) => at > now() - 1000);
      const allowed = recent.length < perSecond;
      if (allowed) recent.push(now());
      calls.delete(account);
      calls.set(account, recent);
      const [oldest] = calls.keys();
      if (calls.size > MOST_ACCOUNTS && oldest !== undefined) calls.delete(oldest);
      return allowed;
    },
  };
}
