import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The files of a page by name, as text. */
export type PageFiles = Readonly<Record<'index.html' | 'app.js' | 'style.css' | 'icon.svg', string>>;

/**
 * @param sources folder with `main.ts`, `style.css`, `index.html` and `icon.svg`
 * @throws esbuild's BuildFailure when a source does not compile
 */
export async function buildPage(sources: string): Promise<PageFiles> {
  const { outputFiles } = await build({
    absWorkingDir: sources,
    entryPoints: [
      { in: 'main.ts', out: 'app' },
      { in: 'style.css', out: 'style' },
    ],
    outdir: '.',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    logLevel: 'silent',
  });
  const made = (name: string): string => {
    const file = outputFiles.find(({ path }) => path.endsWith(name));
    if (file === undefined) throw new Error(`esbuild made no ${name}`);
    return file.text;
  };
  const plain = (name: string): Promise<string> => readFile(join(sources, name), 'utf8');
  return {
    'index.html': await plain('index.html'),
    'icon.svg': await plain('icon.svg'),
    'app.js': made('app.js'),
    'style.css': made('style.css'),
  };
}
