import { h, newId, put } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { buildField } from './build.ts';
import type { Field, FieldOptions } from './field.ts';
import type { Schema } from './schema.ts';

/** What people look for first; the rest is folded unless the request needs it or its example has it. */
const FIRST = new Set([
  ...['prompt', 'image', 'image_tail', 'image_list', 'aspect_ratio', 'duration', 'mode', 'resolution', 'sound', 'n'],
  ...['settings', 'contents', 'audio', 'text'],
]);

/** The values of an object in a frame with its name. */
export function groupField(options: FieldOptions): Field {
  const { schema, label, required } = options;
  const inner = fieldsOf(schema, options.example, { isOptional: options.isOptional || !required });
  const error = h('p', { id: newId(), class: 'error' });
  const element = h(
    'fieldset',
    { class: 'group', 'aria-describedby': error.id },
    h('legend', {}, label),
    error,
    ...inner.elements,
  );
  element.tabIndex = -1;
  return {
    element,
    read() {
      const value = inner.read();
      return required || !isEmpty(value) ? value : undefined;
    },
    write: inner.write,
    check: () => (required || !isEmpty(inner.read()) ? inner.check() : []),
    showError(path, text) {
      const found = inner.showError(path, text);
      if (found !== undefined) return found;
      error.textContent = text;
      return element;
    },
    clearErrors(only) {
      if (only?.has(error.textContent) !== false) put(error);
      inner.clearErrors(only);
    },
    leave: inner.leave,
  };
}

/** The values of an object without a frame. */
export interface Fields {
  readonly elements: readonly HTMLElement[];
  read(): Record<string, unknown>;
  write(value: unknown): void;
  check(): readonly HTMLElement[];
  /** @returns undefined when no field of that name is here */
  showError(path: readonly string[], text: string): HTMLElement | undefined;
  clearErrors(only?: ReadonlySet<string>): void;
  leave(): void;
}

interface FieldsOptions {
  readonly without?: readonly string[];
  readonly isOptional?: boolean;
}

export function fieldsOf(
  schema: Schema,
  example: unknown,
  { without = [], isOptional = false }: FieldsOptions = {},
): Fields {
  const examples = isRecord(example) ? example : {};
  const fields = new Map<string, Field>();
  const first: HTMLElement[] = [];
  const folded: HTMLElement[] = [];
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    if (without.includes(name)) continue;
    const required = schema.required?.includes(name) === true;
    const field = buildField(name, each, { required, example: examples[name], isOptional });
    fields.set(name, field);
    (required || name in examples || FIRST.has(name) ? first : folded).push(field.element);
  }
  const more = h('details', { class: 'more' }, h('summary', {}, words.advanced(folded.length)), ...folded);
  const unfold = (shown: HTMLElement): HTMLElement => {
    if (more.contains(shown)) more.open = true;
    return shown;
  };
  return {
    elements: folded.length === 0 ? first : [...first, more],
    read() {
      const values = [...fields].map(([name, field]) => [name, field.read()] as const);
      return Object.fromEntries(values.filter(([, value]) => value !== undefined));
    },
    write(value) {
      if (!isRecord(value)) return;
      for (const [name, field] of fields) if (value[name] !== undefined) field.write(value[name]);
    },
    check: () => [...fields.values()].flatMap((field) => field.check()).map(unfold),
    showError([name = '', ...path], text) {
      const shown = fields.get(name)?.showError(path, text);
      return shown === undefined ? undefined : unfold(shown);
    },
    clearErrors(only) {
      for (const field of fields.values()) field.clearErrors(only);
    },
    leave() {
      for (const field of fields.values()) field.leave?.();
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof File);
}

/** Whether there is no value in it, however deep. */
function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isEmpty);
  return isRecord(value) ? Object.values(value).every(isEmpty) : value === undefined;
}
