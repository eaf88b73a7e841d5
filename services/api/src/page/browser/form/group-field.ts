import { h, newId, put } from '../element.ts';
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
  const inner = fieldsOf(schema, options.example);
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
      return Object.keys(value).length > 0 || required ? value : undefined;
    },
    write: inner.write,
    check: () => (required || Object.keys(inner.read()).length > 0 ? inner.check() : []),
    showError(path, text) {
      const found = inner.showError(path, text);
      if (found !== undefined) return found;
      error.textContent = text;
      return element;
    },
    clearErrors() {
      put(error);
      inner.clearErrors();
    },
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
  clearErrors(): void;
}

export function fieldsOf(schema: Schema, example: unknown, without: readonly string[] = []): Fields {
  const examples = isRecord(example) ? example : {};
  const fields = new Map<string, Field>();
  const first: HTMLElement[] = [];
  const folded: HTMLElement[] = [];
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    if (without.includes(name)) continue;
    const required = schema.required?.includes(name) === true;
    const field = buildField(name, each, required, examples[name]);
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
    clearErrors() {
      for (const field of fields.values()) field.clearErrors();
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
