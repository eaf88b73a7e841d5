import { h } from '@klingapi/page/browser';
import type { Part } from '../../report/content.ts';

/** The report as elements: the same content that its Markdown has. Its title is that of the place where it stands. */
export const reportElements = (parts: readonly Part[]): HTMLElement[] => parts.flatMap(elementsOf);

function elementsOf(part: Part): HTMLElement[] {
  switch (part.kind) {
    case 'title':
      return [];
    case 'heading':
      return [h('h4', {}, part.text)];
    case 'paragraph':
      return [h('p', {}, part.lead !== undefined && h('strong', {}, `${part.lead} `), part.text)];
    case 'list':
      return part.entries.length === 0 ? [] : [h('ul', {}, ...part.entries.map(entryOf))];
    case 'table':
      return [h('div', { class: 'lines', tabindex: 0, role: 'group' }, tableOf(part.head, part.rows))];
  }
}

const entryOf = ({ text, code, block }: Extract<Part, { kind: 'list' }>['entries'][number]): HTMLElement =>
  h(
    'li',
    {},
    `${text} `,
    code !== undefined && h('code', {}, code),
    block !== undefined && h('pre', { tabindex: 0 }, block),
  );

/** @param head its first cell may be empty: then the first of each row is its heading */
export function tableOf(head: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLTableElement {
  return h(
    'table',
    {},
    head.some((text) => text !== '') &&
      h('thead', {}, h('tr', {}, ...head.map((text) => (text === '' ? h('td') : h('th', { scope: 'col' }, text))))),
    h(
      'tbody',
      {},
      ...rows.map(([first = '', ...rest]) =>
        h('tr', {}, h('th', { scope: 'row' }, first), ...rest.map((cell) => h('td', {}, cell))),
      ),
    ),
  );
}
