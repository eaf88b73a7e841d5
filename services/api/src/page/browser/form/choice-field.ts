import { h } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { type Field, type FieldOptions, simpleField } from './field.ts';
import { choicesOf } from './schema.ts';

export function choiceField(options: FieldOptions): Field {
  return select(options, choicesOf(options.schema) ?? [], (value) => {
    if (options.label === words.fields['duration']) return words.seconds(Number(value));
    return words.values[String(value)] ?? String(value);
  });
}

/** Three choices, because leaving it to Kling is not the same as "no". */
export function switchField(options: FieldOptions): Field {
  return select(options, [true, false], (value) => (value === true ? words.yes : words.no));
}

function select(options: FieldOptions, values: readonly unknown[], name: (value: unknown) => string): Field {
  const { schema, required, isOptional } = options;
  const mayBeLeft = isOptional || (schema.default === undefined && !required);
  const control = h(
    'select',
    {},
    ...(mayBeLeft ? [h('option', { value: '' }, words.vendorDefault)] : []),
    ...values.map((value, index) => h('option', { value: index }, name(value))),
  );
  return simpleField(options, {
    control,
    isShort: true,
    read: () => (control.value === '' ? undefined : values[Number(control.value)]),
    write(value) {
      const index = values.indexOf(value);
      if (index >= 0) control.value = String(index);
    },
  });
}
