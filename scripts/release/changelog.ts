/** Reads CHANGELOG.md, which is kept in the form of Keep a Changelog 1.1. */
export interface Section {
  readonly version: string;
  /** As in 2026-12-01; undefined while it is unreleased. */
  readonly date: string | undefined;
  /** All below the heading. */
  readonly text: string;
}

const HEADING = /^## \[([^\]]+)\] - (.+)$/;
const GROUPS = new Set(['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security']);

/** @throws Error that names the line which is not of the form */
export function sections(changelog: string): readonly Section[] {
  const found: { version: string; date: string | undefined; lines: string[] }[] = [];
  for (const [index, line] of changelog.split('\n').entries()) {
    const problem = (what: string): Error => new Error(`CHANGELOG.md, line ${index + 1}: ${what}`);
    if (line.startsWith('## ')) {
      const [, version, date] = HEADING.exec(line) ?? [];
      if (version === undefined || date === undefined)
        throw problem(`"${line}" is not like "## [1.2.3] - 2026-12-01" or "## [1.2.3] - unreleased"`);
      if (date !== 'unreleased' && !/^\d{4}-\d{2}-\d{2}$/.test(date))
        throw problem(`${date} is neither a day like 2026-12-01 nor unreleased`);
      found.push({ version, date: date === 'unreleased' ? undefined : date, lines: [] });
    } else {
      if (line.startsWith('### ') && !GROUPS.has(line.slice(4)))
        throw problem(`there is no group ${line.slice(4)}; there are ${[...GROUPS].join(', ')}`);
      found.at(-1)?.lines.push(line);
    }
  }
  return found.map(({ lines, ...each }) => ({ ...each, text: lines.join('\n').trim() }));
}
