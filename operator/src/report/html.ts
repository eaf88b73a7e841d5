import type { RepairRecord } from '../resource/status.ts';
import { type Part, type ReportSubject, reportContent } from './content.ts';
import { type Language, wordsOf } from './words.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What was recorded came from outside: none of it is markup. */
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character] ?? character);

const STYLE = [
  'body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;color-scheme:light dark}',
  'table{border-collapse:collapse;width:100%;margin:1rem 0}',
  'th,td{border:1px solid #8886;padding:.35rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}',
  'pre{overflow-x:auto;padding:.6rem;border:1px solid #8886}',
].join('');

function table(head: readonly string[], rows: readonly string[][]): string {
  const named = head.some((text) => text !== '');
  const headRow = head.map((text) => `<th scope="col">${escaped(text)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((text) => `<td>${escaped(text)}</td>`).join('')}</tr>`);
  return `<table>\n${named ? `<thead><tr>${headRow}</tr></thead>\n` : ''}<tbody>\n${body.join('\n')}\n</tbody>\n</table>`;
}

const entry = ({ text, code, block }: Extract<Part, { kind: 'list' }>['entries'][number]): string =>
  `<li>${escaped(text)}${code === undefined ? '' : ` <code>${escaped(code)}</code>`}${block === undefined ? '' : `<pre>${escaped(block)}</pre>`}</li>`;

function element(part: Part): string {
  switch (part.kind) {
    case 'title':
      return `<h1>${escaped(part.text)}</h1>`;
    case 'heading':
      return `<h2>${escaped(part.text)}</h2>`;
    case 'paragraph':
      return `<p>${part.lead === undefined ? '' : `<strong>${escaped(part.lead)}</strong> `}${escaped(part.text)}</p>`;
    case 'list':
      return part.entries.length === 0 ? '' : `<ul>${part.entries.map(entry).join('')}</ul>`;
    case 'table':
      return table(part.head, part.rows);
  }
}

/** One repair as a page that needs no other file. */
export function repairPage(subject: ReportSubject, repair: RepairRecord, language: Language = 'en'): string {
  const words = wordsOf(language);
  return [
    '<!doctype html>',
    `<html lang="${words.tag}">`,
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(words.title(subject.name, subject.namespace))}</title>`,
    `<style>${STYLE}</style>`,
    ...reportContent(subject, repair, words).map(element),
    '</html>',
    '',
  ].join('\n');
}
