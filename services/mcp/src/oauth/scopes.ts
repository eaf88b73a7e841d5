import type { Scope } from '@klingapi/identity';

/**
 * What one of the issuer's scopes lets a caller do here, by its last word: `read`
 * alone reads; anything else (`kling:create`, `mcp`) also creates.
 */
function granted(name: string): readonly Scope[] {
  return name.split(/[:./]/).at(-1) === 'read' ? ['read'] : ['read', 'create'];
}

/**
 * @param held scopes of a token
 * @param accepted scopes that count here; without any, every token may do everything
 */
export function mapScopes(held: readonly string[], accepted: readonly string[]): Scope[] {
  if (accepted.length === 0) return ['read', 'create'];
  return [...new Set(held.filter((name) => accepted.includes(name)).flatMap(granted))];
}

/** The least scopes to ask the issuer for: those that grant this and no more, if there are any. */
export function scopesGranting(needed: Scope, accepted: readonly string[]): string[] {
  const able = accepted.filter((name) => needed === 'handshake' || granted(name).includes(needed));
  const narrow = able.filter((name) => granted(name).length === 1);
  return narrow.length > 0 ? narrow : able;
}
