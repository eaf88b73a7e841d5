import { h, newId } from '@klingapi/page/browser';
import { words } from './words.ts';

/**
 * The key of whoever looks at the page. In session storage, so that a reload
 * keeps it and no other tab has it; never in an address, a cookie or
 * storage that outlives the tab.
 */
const STORED_AS = 'klingapi-key';

export const storedKey = (): string | undefined => sessionStorage.getItem(STORED_AS) ?? undefined;

export function forgetKey(): void {
  sessionStorage.removeItem(STORED_AS);
}

let asked: Promise<boolean> | undefined;
let isMissing = false;
const onGiven: (() => void)[] = [];

/** Whether the service wants a key that nobody gave; what nobody asked for is not sent meanwhile. */
export const keyIsMissing = (): boolean => isMissing;

/** Calls when another key was given than the page began with. */
export const whenKeyGiven = (call: () => void): void => void onGiven.push(call);

/** Stands where the key is missing, and offers to give one. */
export const keyNotice = h(
  'div',
  { class: 'buttons', role: 'status', hidden: true },
  h('span', {}, words.keyPaused),
  h('button', { type: 'button', onclick: () => void askForKey() }, words.keyGive),
);

/** Tells so without a question, for which nobody is there. */
export function missKey(missing = true): void {
  isMissing = missing;
  keyNotice.hidden = !missing;
}

/**
 * Asks for a key and stores it; callers that come meanwhile share the question.
 *
 * @returns false when none was given
 */
export function askForKey(): Promise<boolean> {
  asked ??= ask(storedKey() === undefined ? undefined : words.keyWrong)
    .then((isGiven) => {
      missKey(!isGiven);
      if (isGiven) for (const call of onGiven) call();
      return isGiven;
    })
    .finally(() => {
      asked = undefined;
    });
  return asked;
}

function ask(problem: string | undefined): Promise<boolean> {
  const errorId = newId();
  const why = newId();
  const title = newId();
  const error = h('p', { id: errorId, class: 'error', role: 'alert' }, problem);
  const input = h('input', {
    ...{ id: newId(), type: 'password', autocomplete: 'off', required: true, autofocus: true },
    ...{ 'aria-describedby': `${why} ${errorId}`, 'aria-invalid': problem === undefined ? undefined : 'true' },
  });
  const dialog = h(
    'dialog',
    { class: 'key', 'aria-labelledby': title },
    h(
      'form',
      {
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          const key = input.value.trim();
          if (!/^[\x21-\x7e]+$/.test(key)) {
            error.textContent = words.keyForm;
            input.setAttribute('aria-invalid', 'true');
            input.focus();
            return;
          }
          sessionStorage.setItem(STORED_AS, key);
          dialog.close('given');
        },
      },
      h('h2', { id: title }, words.keyTitle),
      h('p', {}, words.keyAsk),
      h('label', { for: input.id }, words.keyLabel),
      input,
      error,
      h('p', { id: why, class: 'hint' }, words.keyWhy),
      h(
        'div',
        { class: 'buttons' },
        h('button', { class: 'primary' }, words.keyUse),
        h('button', { type: 'button', onclick: () => dialog.close() }, words.cancel),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'given');
    });
  });
}
