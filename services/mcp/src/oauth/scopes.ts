import type { Scope } from '@klingapi/identity';

/** Scopes of the issuer whose last word says that they are for what costs money: `kling:create`, `images.write`. */
function isForCreating(name: string): boolean {
  return ['create', 'write'].includes(name.split(/[:./]/).at(-1) ?? '');
}

/**
 * Scopes of the issuer that a caller has to have for this: all that are demanded, but for reading those that are for
 * creating are left out, unless there are no others.
 */
export function scopesNeeded(needed: Scope, demanded: readonly string[]): readonly string[] {
  const reading = demanded.filter((name) => !isForCreating(name));
  return needed === 'create' || reading.length === 0 ? demanded : reading;
}

/**
 * @param held scopes of a token
 * @param demanded scopes that count here; without any, every token may do everything
 */
export function mapScopes(held: readonly string[], demanded: readonly string[]): Scope[] {
  const may = (scope: Scope) => scopesNeeded(scope, demanded).every((name) => held.includes(name));
  return (['read', 'create'] as const).filter(may);
}
