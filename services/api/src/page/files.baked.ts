import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The files of the page by name, as text. */
export type PageFiles = Readonly<Record<'index.html' | 'app.js' | 'style.css' | 'icon.svg', string>>;

const SOURCES = join(import.meta.dirname, 'browser');

/**
 * Makes the page from its sources. In a bundle this whole module is replaced by
 * what it gave when the bundle was made, so that neither esbuild nor the sources
 * are needed there.
 *
 * @throws esbuild's BuildFailure when a source does not compile
 */
export default async function pageFiles(): Promise<PageFiles> {
  const { outputFiles } = await build({
    absWorkingDir: SOURCES,
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
  const plain = (name: string): Promise<string> => readFile(join(SOURCES, name), 'utf8');
  return {
    'index.html': await plain('index.html'),
    'icon.svg': await plain('icon.svg'),
    'app.js': made('app.js'),
    'style.css': made('style.css'),
  };
}
