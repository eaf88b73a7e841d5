/** What may come next on a command line. Pure but for the names, which are asked for where they are wanted. */
import type { Command } from '../command.ts';
import { type OptionTable, SHARED } from '../options.ts';

export interface Candidate {
  readonly text: string;
  readonly says?: string;
}

export interface Names {
  klingApis(): Promise<readonly string[]>;
  namespaces(): Promise<readonly string[]>;
  contexts(): readonly string[];
  shells: readonly string[];
}

const FREE: readonly Candidate[] = [];
const plain = (texts: readonly string[]): Candidate[] => texts.map((text) => ({ text }));

/** The option that a word begins, such as `-n` or `--output=`. */
function optionOf(word: string, options: OptionTable): [name: string, option: OptionTable[string]] | undefined {
  return Object.entries(options).find(
    ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  );
}

async function valuesOf(name: string, option: OptionTable[string], names: Names): Promise<readonly Candidate[]> {
  if (option.choices !== undefined) return plain(option.choices);
  if (name === 'namespace' || name === 'operator-namespace') return plain(await names.namespaces());
  if (name === 'context') return plain(names.contexts());
  return FREE;
}

/** @param words after `kubectl kling`; the last is the one being typed, and may be empty */
export async function candidates(
  words: readonly string[],
  commands: readonly Command[],
  names: Names,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const everyOption: OptionTable = Object.assign({}, SHARED, ...commands.map((entry) => entry.options));
  const isValueOf = (index: number, known: OptionTable): boolean =>
    optionOf(before[index - 1] ?? '', known)?.[1].type === 'string';
  // a namespace may be called as a command is
  const typedName = before.find(
    (word, index) => commands.some(({ name }) => name === word) && !isValueOf(index, everyOption),
  );
  const command = commands.find(({ name }) => name === typedName);
  const options: OptionTable = { ...(command?.ownUsage === undefined ? SHARED : {}), ...command?.options };
  const matching = (all: readonly Candidate[], prefix = typed): Candidate[] =>
    all.filter(({ text }) => text.startsWith(prefix));

  const awaiting = optionOf(before.at(-1) ?? '', options);
  if (awaiting?.[1].type === 'string') return matching(await valuesOf(...awaiting, names));
  const [, head = '', prefix = ''] = /^(--[a-z-]+)=(.*)$/.exec(typed) ?? [];
  const assigned = optionOf(head, options);
  if (assigned !== undefined)
    return matching(await valuesOf(...assigned, names), prefix).map(({ text }) => ({ text: `${head}=${text}` }));
  if (typed.startsWith('-'))
    return matching(Object.entries(options).map(([name, { says }]) => ({ text: `--${name}`, says })));
  if (command === undefined) return matching(commands.map(({ name, summary }) => ({ text: name, says: summary })));

  const given = before.filter(
    (word, index) => word !== command.name && !word.startsWith('-') && !isValueOf(index, options),
  );
  if (given.length > 0 || command.most === 0) return FREE;
  if (command.name === 'completion') return matching(plain(names.shells));
  return command.arguments.includes('NAME') ? matching(plain(await names.klingApis())) : FREE;
}

/** As cobra prints them, which is how kubectl reads them. */
export const candidateLines = (found: readonly Candidate[]): string =>
  `${found.map(({ text, says }) => (says === undefined ? text : `${text}\t${says}`)).join('\n')}${found.length === 0 ? '' : '\n'}:4\n`;
