import { h } from '@klingapi/page/browser';
import type { StandingKind } from '../standing-kinds.ts';
import { words } from './words.ts';

const SIGNS: Readonly<Record<StandingKind, string>> = {
  NeedsPerson: '!',
  Repairing: '↻',
  Troubled: '✕',
  Starting: '…',
  Paused: '‖',
  Well: '✓',
};

/** The standing as sign, word and colour. */
export const badge = (kind: StandingKind): HTMLElement =>
  h('span', { class: `badge ${kind}` }, h('span', { 'aria-hidden': 'true' }, SIGNS[kind]), ` ${words.standings[kind]}`);
