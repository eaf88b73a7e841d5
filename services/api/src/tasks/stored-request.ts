import { ownProblem } from '../problem.ts';
import { describeMedia } from './media.ts';

/** In characters of JSON. Every look at a task loads it: a page of the longest is then still small. */
const LONGEST = 64 * 1024;
/** How deep a field is named: `contents.0.text`. */
const NAMED_DEPTH = 3;
const NAME_LENGTH = 64;

/**
 * The request as it stays with its task, with media described. The newer families
 * take fields that are not known here, so nothing else bounds it.
 *
 * @throws ProblemError `invalid_request` that names the field that makes it too long
 */
export function storedRequest(payload: object): Record<string, unknown> {
  const described = describeMedia(payload);
  const { length } = JSON.stringify(described);
  if (length <= LONGEST) return described;
  const field = largestField(described, length);
  const problem = `is most of a request of ${length} characters without its media; ${LONGEST} are taken`;
  const hint = 'send less in it; files go in the fields for pictures, videos and sounds';
  throw ownProblem('invalid_request', `${field} ${problem}`, { errors: [{ field, problem, hint }] });
}

/** Goes down as long as one field is more than half of what it is in. */
function largestField(value: object, length: number): string {
  const path: string[] = [];
  let inside: unknown = value;
  let whole = length;
  while (path.length < NAMED_DEPTH && typeof inside === 'object' && inside !== null) {
    const sizes = Object.entries(inside).map(([name, each]) => ({ name, each, size: sizeOf(name, each) }));
    const largest = sizes.reduce((most, one) => (one.size > most.size ? one : most), { name: '', each: null, size: 0 });
    if (path.length > 0 && largest.size * 2 <= whole) break;
    path.push(largest.name.slice(0, NAME_LENGTH));
    inside = largest.each;
    whole = largest.size;
  }
  return path.join('.');
}

function sizeOf(name: string, value: unknown): number {
  return name.length + (JSON.stringify(value) ?? '').length;
}
