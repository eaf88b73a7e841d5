/** The licence notices of the packages inside a bundle. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledPackage } from './packages.ts';

const NOTICE = /^(licen[cs]e|notice|copying)(\W.*)?$/i;

/**
 * One text of every notice.
 *
 * @param legalComments notices that stand in the sources themselves, as esbuild collects them
 */
export async function licenceNotices(
  root: string,
  packages: readonly BundledPackage[],
  legalComments: readonly string[],
): Promise<string> {
  const notices = await Promise.all(packages.map((each) => noticeOf(root, each)));
  const comments = [...new Set(legalComments.map((text) => text.trim()).filter((text) => text !== ''))];
  return `${[...new Set(notices.sort()), ...comments.sort()].join(`\n${'-'.repeat(80)}\n\n`)}\n`;
}

async function noticeOf(root: string, { name, version, license, folder }: BundledPackage): Promise<string> {
  const files = (await readdir(join(root, folder))).filter((file) => NOTICE.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(root, folder, file), 'utf8')));
  return [`${name} ${version} (${license ?? 'licence in its text'})`, ...texts.map((text) => text.trim())].join('\n\n');
}
