import type { RepairRecord } from '../resource/status.ts';
import { type Part, type ReportSubject, reportContent } from './content.ts';
import { type Language, wordsOf } from './words.ts';

/** One repair as a Markdown page. */
export function repairReport(subject: ReportSubject, repair: RepairRecord, language: Language = 'en'): string {
  return reportContent(subject, repair, wordsOf(language))
    .filter((part) => part.kind !== 'list' || part.entries.length > 0)
    .map((part) => `${linesOf(part).join('\n')}\n`)
    .join('\n');
}

function linesOf(part: Part): string[] {
  if (part.kind === 'title') return [`# ${part.text}`];
  if (part.kind === 'heading') return [`## ${part.text}`];
  if (part.kind === 'paragraph')
    return [(part.lead === undefined ? part.text : `**${part.lead}** ${part.text}`).replace(/\s+/g, ' ')];
  if (part.kind === 'table') return table(part.head, part.rows);
  return part.entries.flatMap(({ text, code, block }) => {
    if (block !== undefined) return [`- ${text}`, '', '```', block.replace(/^```/gm, "'''"), '```'];
    return [code === undefined ? `- ${text}` : `- ${text} \`${code.replace(/`/g, "'")}\``];
  });
}

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
const table = (head: readonly string[], rows: string[][]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];
