import { h, newId } from '@klingapi/page/browser';
import { type Group, groupOf, type KindOfTask } from '../catalogue.ts';
import { kindName, words } from '../words.ts';

/** What most people come for. */
const QUICK = ['text-to-image', 'text-to-video', 'image-to-video'];
const GROUPS: readonly Group[] = ['images', 'videos', 'audios', 'other', 'solutions'];

export interface KindChoice {
  readonly element: HTMLElement;
  choose(kind: string): void;
}

/** The few usual kinds as buttons, all of them behind the last one. */
export function kindChoice(kinds: readonly KindOfTask[], onChoice: (kind: KindOfTask) => void): KindChoice {
  const name = newId();
  const radio = (value: string) => h('input', { type: 'radio', name, value, id: newId() });
  const quick = QUICK.filter((kind) => kinds.some((each) => each.kind === kind)).map(radio);
  const others = radio('');
  const select = h(
    'select',
    { id: newId() },
    ...GROUPS.map((group) =>
      h(
        'optgroup',
        { label: words.groups[group] },
        ...kinds
          .filter((each) => groupOf(each) === group && !QUICK.includes(each.kind))
          .map(({ kind }) => h('option', { value: kind }, kindName(kind))),
      ),
    ),
  );
  const all = h('div', { class: 'field' }, h('label', { for: select.id }, words.whichKind), select);
  const chosen = (): string => [...quick, others].find(({ checked }) => checked)?.value || select.value;
  const tell = (): void => {
    all.hidden = !others.checked;
    const found = kinds.find(({ kind }) => kind === chosen());
    if (found !== undefined) onChoice(found);
  };
  const tile = (input: HTMLInputElement, text: string) => h('label', { class: 'tile' }, input, h('span', {}, text));
  return {
    element: h(
      'div',
      { onchange: tell },
      h(
        'fieldset',
        { class: 'tiles' },
        h('legend', { class: 'visually-hidden' }, words.what),
        ...quick.map((input) => tile(input, words.quick[input.value] ?? input.value)),
        tile(others, words.more),
      ),
      all,
    ),
    choose(kind) {
      const input = quick.find(({ value }) => value === kind) ?? others;
      input.checked = true;
      if (input === others) select.value = kind;
      tell();
    },
  };
}
