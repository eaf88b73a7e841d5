import { h, newId, put } from '@klingapi/page/browser';
import { fieldName, words } from '../words.ts';
import type { Field } from './field.ts';
import type { Abilities } from './narrow.ts';
import type { Schema } from './schema.ts';
import { textField } from './text-field.ts';

const OTHER = 'other';

export interface ModelChoice {
  readonly element: HTMLElement;
  /** The id; undefined where the request names no model. */
  readonly chosen: () => string | undefined;
  choose(id: unknown): void;
  readonly field: Field | undefined;
}

/** The models that are known, and any other by its id: the vendor adds them faster than this is released. */
export function modelChoice(
  schema: Schema | undefined,
  models: readonly Abilities[],
  onChoice: () => void,
): ModelChoice | undefined {
  if (schema === undefined) return undefined;
  const select = h(
    'select',
    { id: newId() },
    ...models.map(({ id, note }) => h('option', { value: id }, note === undefined ? id : `${id} (${note})`)),
    h('option', { value: OTHER }, words.otherModel),
  );
  const other = textField({
    schema: { ...schema, description: '' },
    label: words.modelId,
    required: true,
    example: '',
    isOptional: false,
  });
  const place = h('div');
  const showOther = (): void => put(place, select.value === OTHER && other.element);
  const element = h(
    'div',
    {
      onchange: (event) => {
        showOther();
        if (event.target === select) onChoice();
      },
    },
    h('div', { class: 'field' }, h('label', { for: select.id }, fieldName('model_name')), select),
    place,
  );
  const chosen = (): string | undefined => {
    const value = select.value === OTHER ? other.read() : select.value;
    return typeof value === 'string' ? value : undefined;
  };
  const choose = (id: unknown): void => {
    if (typeof id !== 'string') return;
    const isKnown = models.some((model) => model.id === id);
    select.value = isKnown ? id : OTHER;
    if (!isKnown) other.write(id);
    showOther();
  };
  choose(schema.default);
  const ofSelect = (): Field => ({
    ...other,
    element,
    check: () => (select.value === OTHER ? other.check() : []),
    showError: (path, text) => {
      if (select.value === OTHER) return other.showError(path, text);
      put(place, h('p', { class: 'error' }, text));
      return select;
    },
    clearErrors: (only) => {
      other.clearErrors(only);
      const shown = place.querySelector('p.error');
      if (shown?.parentElement === place && only?.has(shown.textContent) !== false) showOther();
    },
  });
  return { element, chosen, choose, field: ofSelect() };
}
