import { h, newId, put } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { problemOf } from './check.ts';
import type { Field, FieldOptions } from './field.ts';
import { groupField } from './group-field.ts';
import { mediaField } from './media-field.ts';
import { controlOf } from './schema.ts';

/** Entries that can be added and taken away. */
export function listField({ schema, label, required, example, isOptional }: FieldOptions): Field {
  const { items = {}, minItems = 0, maxItems = 100 } = schema;
  const examples: readonly unknown[] = Array.isArray(example) ? example : [];
  const rows: { field: Field; element: HTMLElement }[] = [];
  const list = h('div', { class: 'rows' });
  const error = h('p', { id: newId(), class: 'error' });
  const add = h('button', { type: 'button', class: 'quiet', onclick: () => addRow()?.focus() }, words.add(label));
  const element = h(
    'fieldset',
    { class: 'group', 'aria-describedby': error.id },
    h('legend', {}, label, required && h('span', { class: 'needed' }, ` ${words.required}`)),
    h('p', { class: 'hint' }, schema.description),
    error,
    list,
    add,
  );
  element.tabIndex = -1;

  const addRow = (): HTMLElement | undefined => {
    if (rows.length >= maxItems) return undefined;
    const options = {
      schema: items,
      label: `${label} ${rows.length + 1}`,
      required: true,
      example: examples[rows.length] ?? examples[0],
      isOptional,
    };
    const field = controlOf(items) === 'media' ? mediaField(options) : groupField(options);
    const remove = h('button', { type: 'button', class: 'quiet' }, words.remove(options.label));
    const row = { field, element: h('div', { class: 'row' }, field.element, remove) };
    remove.addEventListener('click', () => {
      rows.splice(rows.indexOf(row), 1);
      row.element.remove();
      field.leave?.();
      add.disabled = false;
      add.focus();
      element.dispatchEvent(new Event('input', { bubbles: true }));
    });
    rows.push(row);
    list.append(row.element);
    add.disabled = rows.length >= maxItems;
    return field.element.querySelector<HTMLElement>('input, select, textarea') ?? undefined;
  };
  const fill = (many: number): void => {
    while (rows.length < Math.min(many, maxItems)) addRow();
  };
  fill(required ? Math.max(minItems, examples.length, 1) : 0);

  return {
    element,
    read: () => (rows.length === 0 && !required ? undefined : rows.map(({ field }) => field.read())),
    write(value) {
      if (!Array.isArray(value)) return;
      for (const row of rows.splice(0)) {
        row.element.remove();
        row.field.leave?.();
      }
      fill(value.length);
      for (const [index, { field }] of rows.entries()) field.write(value[index]);
    },
    check() {
      const problem = problemOf({}, rows.length === 0 ? undefined : rows, required);
      if (problem !== undefined) error.textContent = problem;
      return [...(problem === undefined ? [] : [element]), ...rows.flatMap(({ field }) => field.check())];
    },
    showError([index, ...path], text) {
      const row = index === undefined ? undefined : rows[Number(index)];
      if (row !== undefined) return row.field.showError(path, text);
      error.textContent = text;
      return element;
    },
    clearErrors(only) {
      if (only?.has(error.textContent) !== false) put(error);
      for (const { field } of rows) field.clearErrors(only);
    },
    leave() {
      for (const { field } of rows) field.leave?.();
    },
  };
}
