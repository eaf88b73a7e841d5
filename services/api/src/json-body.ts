import type { App } from './context.ts';
import { ownProblem } from './problem.ts';

/** Deeper than any request; what walks through bodies may use the stack. */
const DEPTH_LIMIT = 64;

/**
 * JSON bodies. None at all is the same as no body, because many clients name the
 * type in any case; too deep a nesting is refused before anything walks through it.
 */
export function acceptJsonBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined);
    parse(request, body.toString(), (error, value: unknown) => {
      if (error) return done(error, undefined);
      if (isTooDeep(value)) return done(ownProblem('invalid_request', `the body is nested deeper than ${DEPTH_LIMIT}`));
      return done(null, value);
    });
  });
}

function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_LIMIT) return true;
    level = level.flatMap((each): unknown[] =>
      typeof each === 'object' && each !== null ? Object.values(each).filter((inner) => typeof inner === 'object') : [],
    );
  }
  return false;
}
