/** Columns as kubectl prints them: three spaces apart, no lines. */
import { stripVTControlCharacters } from 'node:util';

const width = (text: string): number => stripVTControlCharacters(text).length;
/** A text of the cluster may hold line breaks and control characters; a cell is one line. */
export const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

/** @returns lines; the last column is not padded */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  // a line break within a cell would look like a row of its own
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replace(/[\r\n]+/g, ' ')));
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ''))));
  return all.map((row) =>
    head
      .map((_, column) => {
        const cell = row[column] ?? '';
        return column === head.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell) + 3);
      })
      .join('')
      .trimEnd(),
  );
}

/** Words broken into lines. @param columns of each line, without the indent */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of oneLine(text).split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > columns) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, indent + line];
}
