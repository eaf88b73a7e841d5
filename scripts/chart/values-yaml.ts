/** `values.yaml`: each default below the words on it. */
import { stringify } from 'yaml';
import { type Value, valuesOf } from './values.ts';

const NOTE = 'Generated from scripts/chart/values.ts by `npm run generate`; do not edit.';
const WIDTH = 120;

export const valuesYaml = (): string => `# ${NOTE}\n${valuesOf().map(lines).join('')}`;

/** Blank lines stand between what is at the top; what is within a block stays together. */
function lines({ path, description, initial }: Value): string {
  const indent = '  '.repeat(path.length - 1);
  const name = path.at(-1) ?? '';
  const value =
    initial === undefined
      ? `${name}:\n`
      : // strings in quotes, as they are to be written over
        stringify(
          { [name]: initial },
          { lineWidth: 0, ...(initial === '' ? { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' } : {}) },
        );
  const comment = description === undefined ? '' : wrap(description, `${indent}# `);
  return `${path.length === 1 ? '\n' : ''}${comment}${value.replace(/^(?=.)/gm, indent)}`;
}

function wrap(text: string, prefix: string): string {
  const wrapped: string[] = [];
  for (const word of text.split(' ')) {
    const line = wrapped.at(-1);
    if (line === undefined || line.length + word.length + 1 > WIDTH - prefix.length) wrapped.push(word);
    else wrapped[wrapped.length - 1] = `${line} ${word}`;
  }
  return wrapped.map((line) => `${prefix}${line}\n`).join('');
}
