/** Each reason and each alert has its page and its place in the index; each reason a case that makes the fault for real. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIAGNOSES, isLasting, isProcessFault } from '../../operator/src/remediation/diagnoses.ts';
import { filesBelow } from '../docs/pages.ts';
import { alertsOf, chartRules } from '../monitoring/chart-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/runbooks');
const reasons = Object.keys(DIAGNOSES) as (keyof typeof DIAGNOSES)[];
const alerts = alertsOf(await chartRules(['thresholds.unitsPerDay=1000']));
const names = alerts.map(({ alert }) => alert);
/** As the legend of the index has them. */
const KINDS = [...new Set(Object.values(DIAGNOSES).map(({ kind }) => kind))];
const HEADINGS = [
  'What you see',
  'What it means',
  'What the operator does',
  'What to do',
  'How to check that it is over',
];
/** The shell commands of a page, a line each. */
const commandsOf = (page: string): string[] =>
  [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, code = '']) => code.trim().split('\n'));
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
      for (const line of commandsOf(text)) expect(line).toMatch(/^(kubectl|curl|export KEY=\$\(kubectl) /);
    },
  );

  it.each([...reasons, ...names])('%s sends nobody to what is not there', (reason) => {
    const text = read(`${reason}.md`);
    const commands = commandsOf(text);
    // the API has pods of fixed names on SQLite alone
    expect(commands.filter((line) => /\bstudio-(api|mcp|sandbox)-/.test(line))).toEqual([]);
    // a repair makes another pod; only one that the kubelet restarted has a container of before
    const mayBeRepaired = reasons.some((word) => word === reason && isProcessFault(word));
    if (mayBeRepaired && !text.includes('`KubeletRestart`'))
      expect(commands.filter((line) => line.includes('--previous'))).toEqual([]);
  });

  it('the legend of the index has the kinds of the list', () => {
    expect([...read('README.md').matchAll(/^- `(\w+)`: /gm)].map(([, kind]) => kind).sort()).toEqual(KINDS.sort());
  });

  it.each(reasons)('the index tells of what kind %s is, and whether it is repaired', (reason) => {
    const row = read('README.md')
      .split('\n')
      .find((line) => line.startsWith(`| [${reason}](${reason}.md) |`));
    const [, , kind, meaning, repaired] = row?.split('|').map((cell) => cell.trim()) ?? [];
    expect(kind).toBe(DIAGNOSES[reason].kind);
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

it('whoever asks for a repair or a verification gives a value that was not there before', async () => {
  const pages = (await filesBelow(ROOT, '.md')).map((file): [string, string] => [file, readFileSync(file, 'utf8')]);
  const descriptions = alerts.map((rule): [string, string] => [rule.alert, JSON.stringify(rule.annotations)]);
  const asked = [...pages, ...descriptions].flatMap(([from, text]) =>
    [...text.matchAll(/klingapi\.dev\/(?:repair|verify)=(\S+)/g)].map(([, value = '']) => [from, value]),
  );
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.filter(([, value = '']) => !/^(\\?")?\$\(date$/.test(value))).toEqual([]);
});
