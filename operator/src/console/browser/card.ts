import { h, newId, put } from '@klingapi/page/browser';
import type { Summary } from '../view.ts';
import { badge } from './badge.ts';
import { commandLine } from './command.ts';
import { stripOf } from './strip.ts';
import { words } from './words.ts';

export interface Card {
  readonly element: HTMLElement;
  update(summary: Summary): void;
}

export const addressOf = ({ namespace, name }: Pick<Summary, 'namespace' | 'name'>): string => `#/${namespace}/${name}`;

/** One KlingApi of the fleet. What has the focus stays when the rest changes. */
export function cardOf(first: Summary): Card {
  const title = newId();
  const state = h('span');
  const facts = h('p', { class: 'facts' });
  const trouble = h('div', { class: 'trouble' });
  const strips = h('ul', { class: 'strips' });
  let told = '';
  const element = h(
    'article',
    { class: 'card', 'aria-labelledby': title },
    h('header', {}, h('h3', { id: title }, h('a', { href: addressOf(first) }, first.name)), state),
    facts,
    trouble,
    strips,
  );
  const update = ({ namespace, standing, serving, verified, repairsTotal, strips: pods, more }: Summary): void => {
    put(state, badge(standing.kind));
    put(
      facts,
      ...[
        namespace,
        ...(serving === null ? [] : [words.serve(serving)]),
        ...(verified === null ? [] : [words.checks(verified)]),
        words.repairs(repairsTotal),
      ].map((fact) => h('span', {}, fact)),
    );
    // copying from it must not be cut off by a handshake
    const now = JSON.stringify(standing);
    if (now !== told) {
      told = now;
      const { kind, reason, message, next } = standing;
      put(
        trouble,
        kind !== 'Well' && h('p', { class: 'why' }, h('strong', {}, reason), ` ${message}`),
        kind === 'NeedsPerson' && next !== null && commandLine(next),
      );
    }
    put(strips, ...pods.map(stripOf), more > 0 && h('li', { class: 'hint' }, words.morePods(more)));
  };
  update(first);
  return { element, update };
}
