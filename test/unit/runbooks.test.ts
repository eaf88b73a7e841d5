/** Each reason and each alert has its page and its place in the index; each reason a case that makes the fault for real. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIAGNOSES, isLasting, isProcessFault } from '../../operator/src/remediation/diagnoses.ts';
import { alertsOf, chartRules } from '../monitoring/chart-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/runbooks');
const reasons = Object.keys(DIAGNOSES) as (keyof typeof DIAGNOSES)[];
const alerts = alertsOf(await chartRules(['thresholds.unitsPerDay=1000']));
const names = alerts.map(({ alert }) => alert);
const HEADINGS = [
  'What you see',
  'What it means',
  'What the operator does',
  'What to do',
  'How to check that it is over',
];
const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

const e2e = ['test/e2e', 'test/e2e/node']
  .flatMap((folder) => readdirSync(join(ROOT, folder)).map((file) => join(ROOT, folder, file)))
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
/** Words for all that is left over: nothing to make on purpose that would not have a word of its own. */
const REST = ['PodsRefused'];

describe('docs/runbooks', () => {
  it('has one page for each reason and each alert, and none without one', () => {
    const pages = readdirSync(FOLDER).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual([...reasons, ...names].map((name) => `${name}.md`).sort());
  });

  it.each([...reasons, ...names])(
    '%s says what one sees, what it means, who does what, and when it is over',
    (reason) => {
      const text = read(`${reason}.md`);
      expect(text.startsWith(`# ${reason}\n`)).toBe(true);
      expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(HEADINGS);
      for (const [, code = ''] of text.matchAll(/```sh\n([\s\S]*?)```/g))
        for (const line of code.trim().split('\n')) expect(line).toMatch(/^(kubectl|curl|export KEY=\$\(kubectl) /);
    },
  );

  it.each(reasons)('the index tells whether %s is repaired', (reason) => {
    const row = read('README.md')
      .split('\n')
      .find((line) => line.startsWith(`| [${reason}](${reason}.md) |`));
    const [, , , meaning, repaired] = row?.split('|').map((cell) => cell.trim()) ?? [];
    expect(meaning).toBe(DIAGNOSES[reason].meaning);
    expect(repaired).toBe(isProcessFault(reason) ? 'yes' : 'no');
  });

  it.each(alerts.map((rule) => [rule.alert, rule] as const))('the index tells when %s comes', (name, rule) => {
    const row = read('README.md')
      .split('\n')
      .find((line) => line.startsWith(`| [${name}](${name}.md) |`));
    expect(row?.split('|')[2]?.trim()).toBe(rule.labels?.['severity']);
  });

  it.each(reasons.filter((reason) => isLasting(reason) && !REST.includes(reason)))(
    '%s has a case on the real node',
    (reason) => {
      expect(e2e.includes(`'${reason}'`)).toBe(true);
    },
  );
});
