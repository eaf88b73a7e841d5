import { h, newId, put } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { problemOf } from './check.ts';
import type { Schema } from './schema.ts';

/** One value of the request and all that stands around its control. */
export interface Field {
  readonly element: HTMLElement;
  /** The value as it is sent; undefined leaves it out. */
  read(): unknown;
  /** Takes what fits and leaves the rest as it is. */
  write(value: unknown): void;
  /** Shows what can be seen to be wrong. @returns the controls that need another look, first one first */
  check(): readonly HTMLElement[];
  /** At this field, or the one inside it that the path leads to. @returns what is to take the focus */
  showError(path: readonly string[], text: string): HTMLElement;
  /** @param only the errors with one of these texts; all without it */
  clearErrors(only?: ReadonlySet<string>): void;
  /** It is shown no longer: breaks off what is under way. */
  leave?(): void;
}

/** What a field is built from. */
export interface FieldOptions {
  readonly schema: Schema;
  readonly label: string;
  readonly required: boolean;
  /** The value in an example of the request. */
  readonly example: unknown;
  /** Inside a group that may be left out as a whole, and is while nothing in it was chosen. */
  readonly isOptional: boolean;
}

interface Parts {
  readonly control: HTMLElement;
  /** What is labelled, if it is inside the control. */
  readonly input?: HTMLElement;
  read(): unknown;
  write(value: unknown): void;
  /** Whether two of them fit side by side. */
  readonly isShort?: boolean;
  /** Beyond what the schema says. */
  problem?(): string | undefined;
}

/** A field of one control: its label, what it takes, and what is wrong with it. */
export function simpleField({ schema, label, required }: FieldOptions, parts: Parts): Field {
  const input = parts.input ?? parts.control;
  input.id ||= newId();
  const hint = h('p', { id: newId(), class: 'hint' }, schema.description);
  const error = h('p', { id: newId(), class: 'error' });
  input.setAttribute('aria-describedby', `${hint.id} ${error.id}`);
  if (required) input.setAttribute('aria-required', 'true');
  const showError = (_path: readonly string[], text: string): HTMLElement => {
    error.textContent = text;
    input.setAttribute('aria-invalid', 'true');
    return input;
  };
  const clearErrors = (only?: ReadonlySet<string>): void => {
    if (only?.has(error.textContent) === false) return;
    put(error);
    input.removeAttribute('aria-invalid');
  };
  return {
    element: h(
      'div',
      // What was wrong with another value says nothing of this one.
      { class: parts.isShort === true ? 'field short' : 'field', oninput: () => clearErrors() },
      h('label', { for: input.id }, label, required && h('span', { class: 'needed' }, ` ${words.required}`)),
      parts.control,
      error,
      hint,
    ),
    read: parts.read,
    write: parts.write,
    check() {
      const problem = parts.problem?.() ?? problemOf(schema, parts.read(), required);
      return problem === undefined ? [] : [showError([], problem)];
    },
    showError,
    clearErrors,
  };
}
