import { announce } from './announce.ts';
import { h } from './element.ts';

/**
 * A button that copies what `text` gives, and says so.
 * @param copied what it says then
 */
export function copyButton(label: string, copied: string, text: () => string): HTMLButtonElement {
  const button = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      onclick: async () => {
        await copy(text());
        button.textContent = copied;
        announce(copied);
        setTimeout(() => {
          button.textContent = label;
        }, 1500);
      },
    },
    label,
  );
  return button;
}

async function copy(text: string): Promise<void> {
  // Browsers give the clipboard only to pages over https and of this machine.
  if (navigator.clipboard !== undefined) {
    const done = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    if (done) return;
  }
  const area = h('textarea', { class: 'visually-hidden', 'aria-hidden': 'true' });
  const focused = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
}
