/** Log lines are structured: a fixed message that can be searched for, in the past tense and without a full stop, and the rest in fields. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const CALL = /\b(?:log|logger)\??(?:\.(?:info|warn|error|debug|trace|fatal)|\[[^\]]+\])\(/g;

/** The arguments of a call, from behind its opening bracket to the closing one. */
function argumentsAt(source: string, from: number): string {
  let depth = 1;
  let quote = '';
  for (let at = from; at < source.length; at += 1) {
    const character = source[at]!;
    if (quote !== '') {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (`'"\``.includes(character)) quote = character;
    else if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    if (depth === 0) return source.slice(from, at).trim().replace(/,$/, '');
  }
  return source.slice(from);
}

it('every log line has fields first and then a fixed message', async () => {
  const wrong: string[] = [];
  let seen = 0;
  for await (const path of glob(['operator/src/**/*.ts', 'services/*/src/**/*.ts'], { cwd: ROOT })) {
    if (/\.test\.ts$|testing/.test(path)) continue;
    const source = await readFile(join(ROOT, path), 'utf8');
    for (const { index, 0: call } of source.matchAll(CALL)) {
      const given = argumentsAt(source, index + call.length);
      seen += 1;
      const message = /(?:^|[\s,?:])'([^']+)'$/.exec(given)?.[1];
      if (
        message === undefined ||
        /[.!]$/.test(message) ||
        !(given.startsWith('{') || given.startsWith(`'`) || /^[a-z]+,/i.test(given))
      )
        wrong.push(`${path}: ${given.replaceAll(/\s+/g, ' ')}`);
    }
  }
  expect(seen).toBeGreaterThan(40);
  expect(wrong).toEqual([]);
});
