/** Whether what is checked out can be released. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Section, sections } from './changelog.ts';
import { disagreements, namedVersions } from './versions.ts';

/** What the page says until the first one. */
export const NONE_YET = 'No release has been made yet';

export interface Release {
  readonly version: string;
  readonly section: Section;
}

/**
 * @param tag the tag that it is released under, which needs a dated section; without one it is only tried
 * @throws Error that lists every problem
 */
export async function checkRelease(root: string, tag?: string): Promise<Release> {
  const versions = await namedVersions(root);
  const version = versions[0]?.version ?? '';
  const section = sections(await readFile(join(root, 'CHANGELOG.md'), 'utf8')).find((each) => each.version === version);
  const upgrading = await readFile(join(root, 'docs/upgrading.md'), 'utf8');
  const problems = [...disagreements(versions)];
  if (section === undefined)
    problems.push(`CHANGELOG.md has no section for ${version}: add "## [${version}] - unreleased"`);
  else if (section.text === '') problems.push(`the section ${version} of CHANGELOG.md is empty`);
  if (!upgrading.includes(`\n## To ${version}\n`))
    problems.push(`docs/upgrading.md has no section "## To ${version}": say what an upgrade to it does`);
  if (tag !== undefined && tag !== `v${version}`)
    problems.push(`the tag is ${tag} and the version ${version}: tag it v${version}`);
  if (tag !== undefined && section !== undefined && section.date === undefined)
    problems.push(`CHANGELOG.md calls ${version} unreleased: give the day, as in "## [${version}] - 2026-12-01"`);
  if (tag !== undefined && (await readFile(join(root, 'docs/releasing.md'), 'utf8')).includes(NONE_YET))
    problems.push(`docs/releasing.md says "${NONE_YET}": take that sentence out`);
  if (section === undefined || problems.length > 0) throw new Error(problems.join('\n'));
  return { version, section };
}
