import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloads and test-only images outlive a clone. */
export function cacheFolder(...parts: readonly string[]): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'kling-operator', ...parts);
}
