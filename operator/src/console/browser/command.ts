import { copyButton, h } from '@klingapi/page/browser';
import { words } from './words.ts';

/** A command to type, with a button that copies it. */
export function commandLine(command: string): HTMLElement {
  return h(
    'div',
    { class: 'command' },
    h('code', { class: 'code' }, command),
    copyButton(words.copy, words.copied, () => command),
  );
}
