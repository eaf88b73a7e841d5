/** What clients and gateways can read where the protocol has no word for it: annotations know nothing of money. */
export const COSTS_MONEY = 'klingapi.dev/costsMoney';

export function metaOf(costsMoney: boolean): Record<string, unknown> {
  return { [COSTS_MONEY]: costsMoney };
}
