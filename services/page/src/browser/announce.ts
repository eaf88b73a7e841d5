import { h } from './element.ts';

/** Where a screen reader hears of what happens without its user's doing. */
export const announcer = h('p', { class: 'visually-hidden', role: 'status' });

export function announce(text: string): void {
  // The same text twice is told twice only when something changes.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}
