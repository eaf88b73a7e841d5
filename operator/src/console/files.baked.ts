import { join } from 'node:path';
import { buildPage, type PageFiles } from '@klingapi/page/build';

/** Made when an image is built: this module is replaced there by what it gave. */
export default async function consoleFiles(): Promise<PageFiles> {
  return await buildPage(join(import.meta.dirname, 'browser'));
}
