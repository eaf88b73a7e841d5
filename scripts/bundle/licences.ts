/** The licence notices of the packages inside a bundle. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const manifestSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)]).optional(),
});

const NOTICE = /^(licen[cs]e|notice|copying)(\W.*)?$/i;
const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

/**
 * One text of every notice, for the packages that the given inputs come from.
 *
 * @param inputs paths of an esbuild metafile, relative to `root`
 * @param legalComments notices that stand in the sources themselves, as esbuild collects them
 */
export async function licenceNotices(
  root: string,
  inputs: readonly string[],
  legalComments: readonly string[],
): Promise<string> {
  const folders = new Set(inputs.flatMap((input) => PACKAGE_FOLDER.exec(input)?.[0] ?? []));
  const notices = await Promise.all([...folders].map((folder) => noticeOf(join(root, folder))));
  const comments = [...new Set(legalComments.map((text) => text.trim()).filter((text) => text !== ''))];
  return `${[...new Set(notices.sort()), ...comments.sort()].join(`\n${'-'.repeat(80)}\n\n`)}\n`;
}

async function noticeOf(folder: string): Promise<string> {
  const { name, version, license } = manifestSchema.parse(
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
  );
  const files = (await readdir(folder)).filter((file) => NOTICE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [`${name} ${version} (${license ?? 'licence in its text'})`, ...texts.map((text) => text.trim())].join('\n\n');
}
