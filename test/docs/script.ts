/** The commands of a page, for the test that types them. What it does not ask for is left out, and fails it at its end. */
import { afterAll, expect } from 'vitest';
import { commandsOf, playable, playedOf } from './commands.ts';
import { type Page, pageOf, readPages } from './pages.ts';

export interface Block {
  readonly commands: readonly string[];
  /** What the page shows below it as printed, where it does. */
  readonly printed: string;
}

export interface Script {
  readonly path: string;
  readonly page: Page;
  /** Those below these headings, in order; all without one. */
  commands(...headings: string[]): string[];
  /** The one that begins so. The same in several places of the page is one. */
  command(beginning: string): string;
  /** Block by block. */
  blocks(): Block[];
}

/** What a runner of tests says of a file, as far as it is asked here. */
interface Ran {
  readonly tasks?: readonly Ran[];
  readonly result?: { readonly state?: string } | undefined;
}

/** @throws Error where `commands.ts` names nobody for this page */
export async function scriptOf(path: string): Promise<Script> {
  const script = readScript(pageOf(await readPages(), path));
  atTheEnd([script]);
  return script;
}

/** One script a page of this folder. */
export async function scriptsBelow(folder: string): Promise<Script[]> {
  const scripts = (await readPages()).filter(({ path }) => path.startsWith(folder)).map(readScript);
  atTheEnd(scripts);
  return scripts;
}

interface ReadScript extends Script {
  /** Commands that nobody asked for. */
  left(): string[];
}

function atTheEnd(scripts: readonly ReadScript[]): void {
  // biome-ignore lint/correctness/noEmptyPattern: what comes first are fixtures, and vitest reads from this pattern which
  afterAll(({}, file: Ran) => {
    // where a test failed, or was not chosen, this would be no news
    if (!passed(file)) return;
    for (const script of scripts)
      expect(script.left(), `commands of ${script.path} that its test does not type`).toEqual([]);
  });
}

/** Without an end at which what is left would fail a test. */
export function readScript(page: Page): ReadScript {
  const { path } = page;
  if (playedOf(path)?.by === undefined)
    throw new Error(`test/docs/commands.ts names no test that types the commands of ${path}`);
  const all = playable(page);
  const typed = new Set(all.map(({ command }) => command));
  const left = new Set(typed);
  const take = (command: string): string => {
    left.delete(command);
    return command;
  };
  return {
    path,
    page,
    commands(...headings) {
      for (const heading of headings)
        if (!all.some((entry) => entry.heading === heading))
          throw new Error(`${path} has no commands below ${heading}`);
      return all
        .filter(({ heading }) => headings.length === 0 || headings.includes(heading))
        .map(({ command }) => take(command));
    },
    command(beginning) {
      const [found, ...others] = [...typed].filter((command) => command.startsWith(beginning));
      if (found === undefined || others.length > 0)
        throw new Error(
          `${path} has ${found === undefined ? 'no command' : 'several commands'} that begins with ${beginning}`,
        );
      return take(found);
    },
    blocks: () =>
      page.code.flatMap(({ language, text }, index) => {
        const below = page.code[index + 1];
        const commands = language === 'sh' ? commandsOf(text).filter((command) => typed.has(command)) : [];
        if (commands.length === 0) return [];
        return [{ commands: commands.map(take), printed: below?.language === 'text' ? below.text : '' }];
      }),
    left: () => [...left],
  };
}

const passed = ({ tasks, result }: Ran): boolean => tasks?.every(passed) ?? result?.state === 'pass';
