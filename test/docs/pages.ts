/** Every Markdown file of the tree, as GitHub reads it. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import GithubSlugger from 'github-slugger';
import { Lexer, type MarkedToken, type Token, walkTokens } from 'marked';

export const ROOT = join(import.meta.dirname, '../..');
const SKIPPED = new Set(['node_modules', '.git', 'dist', 'golden', 'demo-output', '.dev']);

export interface CodeBlock {
  /** What stands behind the opening fence, such as sh. */
  language: string;
  text: string;
  /** The heading that it stands under. */
  heading: string;
}

export interface Page {
  /** From the root of the tree. */
  path: string;
  headings: { depth: number; text: string }[];
  /** What can stand behind a `#` in a link to this page. */
  anchors: Set<string>;
  /** Targets of links and pictures, as they are written. */
  links: string[];
  code: CodeBlock[];
}

export async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter((entry) => !SKIPPED.has(entry.name))
      .map((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filesBelow(path, ending);
        return entry.name.endsWith(ending) ? [path] : [];
      }),
  );
  return found.flat().sort();
}

/** Marked lets extensions make tokens of kinds that it does not know; there are none here. */
const isKnown = (token: Token): token is MarkedToken => token.type !== 'generic';

/** What a reader sees of a heading: links, emphasis and code without their marks. */
const visible = (tokens: Token[]): string =>
  tokens
    .filter(isKnown)
    .map((token) =>
      'tokens' in token && token.tokens !== undefined ? visible(token.tokens) : 'text' in token ? token.text : '',
    )
    .join('');

export function readPage(path: string, markdown: string): Page {
  const slugger = new GithubSlugger();
  const page: Page = { path, headings: [], anchors: new Set(), links: [], code: [] };
  walkTokens(new Lexer({ gfm: true }).lex(markdown), (any) => {
    if (!isKnown(any)) return;
    if (any.type === 'heading') {
      const text = visible(any.tokens);
      page.headings.push({ depth: any.depth, text });
      page.anchors.add(slugger.slug(text));
    }
    if (any.type === 'link' || any.type === 'image') page.links.push(any.href);
    if (any.type === 'html') {
      for (const [, target = ''] of any.text.matchAll(/\s(?:href|src)="([^"]*)"/g)) page.links.push(target);
      for (const [, name = ''] of any.text.matchAll(/\s(?:id|name)="([^"]*)"/g)) page.anchors.add(name);
    }
    if (any.type === 'code')
      page.code.push({ language: any.lang ?? '', text: any.text, heading: page.headings.at(-1)?.text ?? '' });
  });
  return page;
}

export const readPages = async (): Promise<Page[]> =>
  Promise.all(
    (await filesBelow(ROOT, '.md')).map(async (path) => readPage(relative(ROOT, path), await readFile(path, 'utf8'))),
  );

/** @throws Error where there is none */
export function pageOf(pages: readonly Page[], path: string): Page {
  const page = pages.find((entry) => entry.path === path);
  if (page === undefined) throw new Error(`there is no ${path}`);
  return page;
}
