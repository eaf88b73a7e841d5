import { announce, h, newId, put } from '@klingapi/page/browser';
import type { TaskReply } from '../../../tasks/task.ts';
import { type Asked, explain, get } from '../api.ts';
import type { KindOfTask } from '../catalogue.ts';
import { keyNotice, whenKeyGiven } from '../key.ts';
import { kindName, words } from '../words.ts';
import { followTasks, hasEnded } from './live.ts';
import { type CardActions, type TaskCard, taskCard } from './task-card.ts';

type ListReply = { tasks: readonly TaskReply[]; nextCursor?: string };

/** How often to look for tasks that were made elsewhere, by an assistant for example. */
const LOOK_MS = 10_000;
const PAGE = 24;
/** So many cards are there before those are dropped that nobody asked to see. */
const MOST = 120;
const RUNNING = 'submitted,processing';

export interface TaskList {
  readonly element: HTMLElement;
  /** A task that was just made; it goes on top, whatever the filters are. */
  add(task: TaskReply): void;
}

/** The caller's tasks, newest first, as they move. */
export function taskList(kinds: readonly KindOfTask[], actions: CardActions, onEnded: () => void): TaskList {
  const cards = new Map<string, TaskCard>();
  let cursor: string | undefined;
  let turn = 0;
  // Whether somebody looked at older ones.
  let isDeep = false;

  const items = h('div', { class: 'tasks' });
  const note = h('p', { class: 'hint' });
  const error = h('p', { class: 'error', role: 'alert' });
  const older = h('button', { type: 'button', onclick: () => void load(true) }, words.older);
  const status = h(
    'select',
    { id: newId() },
    h('option', { value: '' }, words.all),
    h('option', { value: RUNNING }, words.running),
    h('option', { value: 'succeeded' }, words.states['succeeded']),
    h('option', { value: 'failed' }, words.states['failed']),
  );
  const kind = h(
    'select',
    { id: newId() },
    h('option', { value: '' }, words.all),
    ...kinds.map((each) => h('option', { value: each.kind }, kindName(each.kind))),
  );

  const live = followTasks((task) => {
    const card = cards.get(task.id);
    if (card === undefined) return;
    const before = card.task();
    card.update(task);
    if (task.status !== before.status)
      announce(words.told(kindName(task.kind), words.states[task.status] ?? task.status));
    if (hasEnded(task) && !hasEnded(before)) onEnded();
  });
  const show = (task: TaskReply, where: 'top' | 'end'): void => {
    const known = cards.get(task.id);
    if (known !== undefined) {
      known.update(task);
      return;
    }
    const card = taskCard(task, actions);
    cards.set(task.id, card);
    if (where === 'top') items.prepend(card.element);
    else items.append(card.element);
    if (!hasEnded(task)) live.follow(task.id);
  };
  const drop = (those: Iterable<TaskCard>): void => {
    for (const card of those) {
      const { id } = card.task();
      live.leave(id);
      card.close();
      card.element.remove();
      cards.delete(id);
    }
  };
  /** A tab that stays open for days would fill up; the dropped ones come again with the older ones. */
  const dropOld = ({ tasks, nextCursor }: ListReply): void => {
    if (isDeep || cards.size <= MOST || items.contains(document.activeElement)) return;
    const kept = new Set(tasks.map(({ id }) => id));
    drop([...cards.values()].filter((card) => hasEnded(card.task()) && !kept.has(card.task().id)));
    cursor = nextCursor;
  };
  const showNote = (): void => {
    const isFiltered = status.value !== '' || kind.value !== '';
    put(note, cards.size === 0 && (isFiltered ? words.emptyFiltered : words.empty));
    older.hidden = cursor === undefined;
  };
  const page = (after: string | undefined, by: Asked['by'] = 'person'): Promise<ListReply> => {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (status.value !== '') query.set('status', status.value);
    if (kind.value !== '') query.set('kind', kind.value);
    if (after !== undefined) query.set('cursor', after);
    return get<ListReply>(`/api/tasks?${query}`, { by });
  };
  const load = async (more: boolean): Promise<void> => {
    turn += 1;
    const mine = turn;
    put(error);
    try {
      const reply = await page(more ? cursor : undefined);
      if (mine !== turn) return;
      if (!more) drop(cards.values());
      isDeep = more;
      for (const task of reply.tasks) show(task, 'end');
      cursor = reply.nextCursor;
    } catch (problem) {
      put(error, explain(problem));
    }
    showNote();
  };
  /** New ones go on top; those that are shown already are brought up to date. */
  const look = async (): Promise<void> => {
    if (document.hidden) return;
    const mine = turn;
    const reply = await page(undefined, 'page').catch(() => undefined);
    if (reply === undefined || mine !== turn) return;
    put(error);
    for (const task of [...reply.tasks].reverse()) show(task, 'top');
    dropOld(reply);
    showNote();
  };
  whenKeyGiven(() => void load(false));
  setInterval(() => void look(), LOOK_MS);
  document.addEventListener('visibilitychange', () => void look());
  older.hidden = true;
  void load(false);

  const title = newId();
  const filter = (label: string, select: HTMLSelectElement) =>
    h('div', { class: 'field' }, h('label', { for: select.id }, label), select);
  return {
    element: h(
      'section',
      { class: 'list', id: 'tasks', tabindex: -1, 'aria-labelledby': title },
      h(
        'div',
        { class: 'filters', onchange: () => void load(false) },
        h('h2', { id: title }, words.tasks),
        filter(words.status, status),
        filter(words.kind, kind),
      ),
      keyNotice,
      error,
      note,
      items,
      older,
    ),
    add(task) {
      show(task, 'top');
      showNote();
      // On a phone it is below the form.
      cards.get(task.id)?.element.scrollIntoView({ block: 'nearest' });
      announce(words.told(kindName(task.kind), words.states[task.status] ?? task.status));
    },
  };
}
