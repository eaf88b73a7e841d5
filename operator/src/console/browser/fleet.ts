import { h, put } from '@klingapi/page/browser';
import { STANDINGS } from '../standing-kinds.ts';
import type { Summary } from '../view.ts';
import { badge } from './badge.ts';
import { type Card, cardOf } from './card.ts';
import { commandLine } from './command.ts';
import { inOrder } from './order.ts';
import { words } from './words.ts';

/** From here on there is something to look for. */
const MANY = 6;

export interface FleetView {
  readonly element: HTMLElement;
  update(fleet: ReadonlyMap<string, Summary>): void;
}

export function fleetView(): FleetView {
  const cards = new Map<string, Card>();
  const counts = h('p', { class: 'counts' });
  const input = h('input', { type: 'search', oninput: () => arrange() });
  const filter = h('label', { class: 'filter', hidden: true }, words.filter, input);
  const list = h('div', { class: 'cards' });
  const empty = h('div', { class: 'empty' });
  const element = h(
    'section',
    { class: 'fleet' },
    h('header', {}, h('h2', {}, words.fleet), counts, filter),
    list,
    empty,
  );
  let known: Summary[] = [];

  const arrange = (): void => {
    const wanted = filter.hidden ? '' : input.value.trim().toLowerCase();
    const shown = known.filter(({ namespace, name }) => `${namespace}/${name}`.toLowerCase().includes(wanted));
    const elements = shown.flatMap(({ uid }) => cards.get(uid)?.element ?? []);
    // moving an element takes the focus from it
    if (elements.length !== list.children.length || elements.some((each, at) => list.children[at] !== each)) {
      const focused = document.activeElement;
      put(list, ...elements);
      if (focused instanceof HTMLElement && list.contains(focused)) focused.focus();
    }
    put(
      empty,
      known.length === 0 && h('p', {}, words.none),
      known.length === 0 && commandLine('kubectl create namespace media'),
      known.length === 0 && commandLine('kubectl apply -n media -f docs/examples/sandbox.yaml'),
      known.length > 0 && shown.length === 0 && h('p', {}, words.noneFits),
    );
  };
  return {
    element,
    update(fleet) {
      known = inOrder(fleet.values());
      for (const summary of known) {
        const card = cards.get(summary.uid);
        if (card === undefined) cards.set(summary.uid, cardOf(summary));
        else card.update(summary);
      }
      for (const uid of cards.keys()) if (!fleet.has(uid)) cards.delete(uid);
      filter.hidden = known.length <= MANY;
      put(
        counts,
        h('span', {}, words.many(known.length)),
        ...STANDINGS.map((kind) => ({ kind, many: known.filter(({ standing }) => standing.kind === kind).length }))
          .filter(({ many }) => many > 0)
          .map(({ kind, many }) => h('span', {}, badge(kind), ` ${many}`)),
      );
      arrange();
    },
  };
}
