/**
 * The console: the fleet, and by `#/NAMESPACE/NAME` one KlingApi. `live.ts` follows the operator; the whole of the one that
 * is looked at is fetched when it is opened and whenever the stream tells that something of it is new.
 */
import { announce, announcer, h, put } from '@klingapi/page/browser';
import type { StandingKind } from '../standing-kinds.ts';
import type { Detail } from '../view.ts';
import { commandLine } from './command.ts';
import { type DetailView, detailView } from './detail.ts';
import { fleetView } from './fleet.ts';
import { followFleet, type Known } from './live.ts';
import { dayAndClock, language, words } from './words.ts';

/** So that time goes on in a timeline of which nothing is new. */
const REDRAW_MS = 10_000;

document.documentElement.lang = language;
document.title = words.title;
const link = h('p', { class: 'link' });
const notice = h('aside', { class: 'notice', 'aria-label': words.notice });
const main = h('main', { id: 'main', tabindex: -1 }, h('p', { class: 'hint' }, words.loading));
/** The address tells which KlingApi is shown, so it stays. */
const skip = (event: Event): void => {
  event.preventDefault();
  main.focus();
};
document.body.append(
  h('a', { class: 'skip', href: '#main', onclick: skip }, words.skip),
  h('header', { class: 'top' }, h('h1', {}, h('a', { href: '#/' }, words.title)), link),
  notice,
  main,
  announcer,
);

const fleet = fleetView();
let known: Known = { operator: undefined, fleet: undefined, link: 'Live' };
let open: { namespace: string; name: string; view: DetailView; detail: Detail | undefined } | undefined;
const standings = new Map<string, StandingKind>();

async function refresh(): Promise<void> {
  const asked = open;
  if (asked === undefined || known.fleet === undefined) return;
  const reply = await fetch(`/klingapis/${asked.namespace}/${asked.name}`).catch(() => undefined);
  if (asked !== open || reply === undefined) return;
  if (reply.status === 404) {
    put(main, h('p', {}, words.gone), commandLine(`kubectl get klingapis -n ${asked.namespace}`));
    return;
  }
  if (!reply.ok) return;
  asked.detail = await reply.json();
  if (asked !== open) return;
  if (!main.contains(asked.view.element)) put(main, asked.view.element);
  redraw();
}

function redraw(): void {
  if (open?.detail !== undefined) open.view.update(open.detail, known.operator?.startedAt ?? new Date().toISOString());
}

/** @param moved somebody went there, so that is where the reader's attention goes */
function show(moved: boolean): void {
  const [, namespace, name] = /^#\/([^/]+)\/([^/]+)$/.exec(location.hash) ?? [];
  if (namespace === undefined || name === undefined) {
    open = undefined;
    document.title = words.title;
    if (known.fleet !== undefined) put(main, fleet.element);
  } else {
    open = { namespace, name, view: detailView(name), detail: undefined };
    document.title = `${name} · ${words.title}`;
    void refresh();
  }
  if (moved) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function showLink({ operator, link: state }: Known): void {
  const told = operator === undefined ? '' : words.seenBy(operator.pod, dayAndClock(operator.startedAt));
  const { pod = '', namespace = '', leading = true, leader = null } = operator ?? {};
  put(link, h('span', { class: `state ${state}` }, state === 'Live' ? `● ${words.live}` : '○'), ` ${told}`);
  if (state === 'Lost') put(notice, h('p', { role: 'alert' }, words.lost), commandLine('kubectl kling console'));
  else if (state === 'TooMany') put(notice, h('p', { role: 'alert' }, words.tooMany));
  else if (leading) put(notice);
  else if (leader === null || leader === '' || leader === pod)
    put(notice, h('p', {}, words.nobodyLeads), commandLine(`kubectl get leases -n ${namespace}`));
  else
    put(
      notice,
      h('p', {}, words.standBy(leader)),
      commandLine(`kubectl port-forward -n ${namespace} pod/${leader} ${location.port}:console`),
    );
}

/** Tells aloud how somebody else's standing changed; the first time everything is as it is. */
function tellChanges(next: Known): void {
  for (const { uid, name, standing } of next.fleet?.values() ?? []) {
    const before = standings.get(uid);
    if (before !== undefined && before !== standing.kind) announce(words.told(name, words.standings[standing.kind]));
    standings.set(uid, standing.kind);
  }
}

followFleet((next, uids) => {
  const first = known.fleet === undefined;
  const shownLink = known.link !== next.link || JSON.stringify(known.operator) !== JSON.stringify(next.operator);
  known = next;
  if (shownLink) showLink(next);
  if (next.fleet === undefined || uids?.length === 0) return;
  fleet.update(next.fleet);
  tellChanges(next);
  if (first) show(false);
  const mine = [...next.fleet.values()].find(
    ({ namespace, name }) => namespace === open?.namespace && name === open.name,
  );
  if (open !== undefined && (uids === undefined || mine === undefined || uids.includes(mine.uid))) void refresh();
});
addEventListener('hashchange', () => show(true));
setInterval(redraw, REDRAW_MS);
