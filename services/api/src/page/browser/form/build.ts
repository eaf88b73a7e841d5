import { fieldName } from '../words.ts';
import { choiceField, switchField } from './choice-field.ts';
import type { Field, FieldOptions } from './field.ts';
import { groupField } from './group-field.ts';
import { listField } from './list-field.ts';
import { mediaField } from './media-field.ts';
import { type Control, controlOf, type Schema } from './schema.ts';
import { jsonField, numberField, textField } from './text-field.ts';

const BUILDERS: Readonly<Record<Control, (options: FieldOptions) => Field>> = {
  media: mediaField,
  choice: choiceField,
  switch: switchField,
  number: numberField,
  text: textField,
  list: listField,
  group: groupField,
  json: jsonField,
};

/**
 * The field for a property of a request, whatever it is.
 *
 * @param isOptional inside a group that may be left out: nothing is chosen beforehand
 */
export function buildField(
  name: string,
  schema: Schema,
  { required, example, isOptional }: Pick<FieldOptions, 'required' | 'example' | 'isOptional'>,
): Field {
  const field = BUILDERS[controlOf(schema)]({ schema, label: fieldName(name), required, example, isOptional });
  if (isOptional) return field;
  if (schema.default !== undefined) field.write(schema.default);
  else if (required && isSetting(schema)) field.write(example);
  return field;
}

/** Whether an example's value is as good as any to begin with: no text of one's own, no file, no id. */
function isSetting(schema: Schema): boolean {
  const control = controlOf(schema);
  return control === 'choice' || control === 'number' || schema.pattern !== undefined;
}
