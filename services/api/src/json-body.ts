import type { App } from './context.ts';
import { ownProblem } from './problem.ts';

/** Deeper than any request; what walks through bodies may use the stack. */
const DEPTH_LIMIT = 64;
/** More than any request has. Each is an object or a slot of one in memory, many times as large as its text. */
const VALUE_LIMIT = 100_000;

/**
 * JSON bodies. None at all is the same as no body, because many clients name the
 * type in any case; what would take too much memory or stack is refused before it is parsed.
 */
export function acceptJsonBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, given, done) => {
    // As bytes: text that is put together from what comes in would be twice on the heap by being looked at.
    const body = typeof given === 'string' ? Buffer.from(given) : given;
    if (body.length === 0) return done(null, undefined);
    const problem = tooMuch(body);
    if (problem !== undefined) return done(ownProblem('invalid_request', problem));
    parse(request, body.toString(), done);
  });
}

const CODES = { quote: 0x22, comma: 0x2c, backslash: 0x5c, openList: 0x5b, closeList: 0x5d, open: 0x7b, close: 0x7d };

/** One look at each byte outside texts; what is no JSON is for the parser to say. */
export function tooMuch(json: Buffer): string | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at += 1) {
    const code = json[at];
    if (code === CODES.quote) {
      at = endOfText(json, at);
      continue;
    }
    if (code === CODES.close || code === CODES.closeList) depth -= 1;
    if (code === CODES.open || code === CODES.openList) depth += 1;
    else if (code !== CODES.comma) continue;
    values += 1;
    if (depth > DEPTH_LIMIT) return `the body is nested deeper than ${DEPTH_LIMIT}`;
    if (values > VALUE_LIMIT) return `the body holds more than ${VALUE_LIMIT} values`;
  }
  return undefined;
}

/** By the next quote that is not escaped, for pictures are texts of many megabytes. */
function endOfText(json: Buffer, start: number): number {
  for (let end = json.indexOf(CODES.quote, start + 1); end !== -1; end = json.indexOf(CODES.quote, end + 1)) {
    let first = end;
    while (json[first - 1] === CODES.backslash) first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
  return json.length;
}
