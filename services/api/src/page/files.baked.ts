import { join } from 'node:path';
import { buildPage, type PageFiles } from '@klingapi/page/build';

/**
 * Makes the page from its sources. In a bundle this whole module is replaced by
 * what it gave when the bundle was made, so that neither esbuild nor the sources
 * are needed there.
 */
export default async function pageFiles(): Promise<PageFiles> {
  return await buildPage(join(import.meta.dirname, 'browser'));
}
