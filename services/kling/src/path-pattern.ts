import { ENDPOINTS, KINDS } from './endpoints.ts';
import { OPERATIONS } from './operations.ts';

const PATHS = new Set<string>([
  ...KINDS.map((kind) => ENDPOINTS[kind].path),
  ...Object.values(OPERATIONS).map(({ path }) => path),
  '/tasks',
  '/solutions',
]);
const NEW = new Set<string>(
  KINDS.filter((kind) => ENDPOINTS[kind].family === 'new').map((kind) => ENDPOINTS[kind].path),
);

/** A path without ids and models, which callers choose: a label with few values. */
export function pathPattern(path: string): string {
  const bare = path.split('?', 1)[0] ?? path;
  if (PATHS.has(bare)) return bare;
  const above = bare.slice(0, bare.lastIndexOf('/'));
  if (NEW.has(above)) return `${above}/{model}`;
  return PATHS.has(above) ? `${above}/{id}` : 'other';
}
