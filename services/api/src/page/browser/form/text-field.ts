import { h } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { type Field, type FieldOptions, simpleField } from './field.ts';

/** Text of so many characters may have several lines. */
const LONG = 100;

export function textField(options: FieldOptions): Field {
  const { schema, example } = options;
  const placeholder = typeof example === 'string' ? example : undefined;
  const isLong = (schema.maxLength ?? 0) >= LONG && schema.pattern === undefined;
  const control = isLong
    ? h('textarea', { rows: 3, placeholder })
    : h('input', { type: 'text', autocomplete: 'off', placeholder });
  return simpleField(options, {
    control,
    read: () => (control.value.trim() === '' ? undefined : control.value.trim()),
    write(value) {
      if (typeof value === 'string' || typeof value === 'number') control.value = String(value);
    },
  });
}

export function numberField(options: FieldOptions): Field {
  const { type, minimum, maximum } = options.schema;
  const control = h('input', {
    ...{ type: 'number', step: type === 'integer' ? 1 : 'any' },
    ...{ inputmode: type === 'integer' ? 'numeric' : 'decimal', min: minimum, max: maximum },
  });
  return simpleField(options, {
    control,
    isShort: true,
    read: () => (control.value === '' ? undefined : control.valueAsNumber),
    write(value) {
      if (typeof value === 'number') control.value = String(value);
    },
    problem: () => (control.validity.badInput ? words.checks.number : undefined),
  });
}

/** For what has no shape that is known here. */
export function jsonField(options: FieldOptions): Field {
  const control = h('textarea', { rows: 3, spellcheck: 'false', class: 'code', placeholder: 'JSON' });
  const parsed = (): { value: unknown } | undefined => {
    try {
      return { value: control.value.trim() === '' ? undefined : JSON.parse(control.value) };
    } catch {
      return undefined;
    }
  };
  return simpleField(options, {
    control,
    read: () => parsed()?.value,
    write(value) {
      if (value !== undefined) control.value = JSON.stringify(value, null, 2);
    },
    problem: () => (parsed() === undefined ? words.checks.json : undefined),
  });
}
