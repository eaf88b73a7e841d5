import type { RepairRecord } from '../resource/status.ts';
import { type Part, type ReportSubject, reportContent } from './content.ts';

/** One repair as a Markdown page. */
export function repairReport(subject: ReportSubject, repair: RepairRecord): string {
  return reportContent(subject, repair)
    .filter((part) => part.kind !== 'list' || part.entries.length > 0)
    .map((part) => `${linesOf(part).join('\n')}\n`)
    .join('\n');
}

function linesOf(part: Part): string[] {
  if (part.kind === 'title') return [`# ${part.text}`];
  if (part.kind === 'heading') return [`## ${part.text}`];
  if (part.kind === 'paragraph') return [part.lead === undefined ? part.text : `**${part.lead}** ${part.text}`];
  if (part.kind === 'table') return table(part.head, part.rows);
  return part.entries.flatMap(({ text, code, block }) => {
    if (block !== undefined) return [`- ${text}`, '', '```', block, '```'];
    return [code === undefined ? `- ${text}` : `- ${text} \`${code.replace(/`/g, "'")}\``];
  });
}

const cell = (text: string): string => text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
const table = (head: string[], rows: string[][]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---').join('|')}|`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
];
