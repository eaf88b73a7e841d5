/**
 * The page: a form on the left, tasks on the right, one above the other on a
 * phone. `form/` makes requests, `tasks/` shows what came of them, `words/` are
 * the texts, the files beside this one are what both use.
 */
import { announcer, h, put } from '@klingapi/page/browser';
import { explain, Refused } from './api.ts';
import { type KindOfTask, loadCatalogue } from './catalogue.ts';
import { makeForm } from './form/make-form.ts';
import { forgetKey, storedKey, whenKeyGiven } from './key.ts';
import type { CardActions } from './tasks/task-card.ts';
import { taskList } from './tasks/task-list.ts';
import { usageToday } from './usage.ts';
import { language, words } from './words.ts';

document.documentElement.lang = language;
const main = h('main', { id: 'main' });
const usage = usageToday();
const forgetButton = h(
  'button',
  {
    type: 'button',
    class: 'quiet',
    hidden: true,
    onclick: () => {
      forgetKey();
      location.reload();
    },
  },
  words.keyForget,
);
document.body.append(
  h('a', { class: 'skip', href: '#tasks' }, words.skip),
  h(
    'header',
    { class: 'top' },
    h('h1', {}, 'Kling'),
    usage.element,
    h('nav', {}, h('a', { href: '/docs' }, words.docs), forgetButton),
  ),
  main,
  announcer,
);

async function start(): Promise<void> {
  put(main, h('p', { class: 'hint' }, words.loading));
  try {
    show(await loadCatalogue());
    usage.refresh();
  } catch (error) {
    const isKeyless = error instanceof Refused && error.status === 401 && storedKey() === undefined;
    put(
      main,
      h('p', { class: 'error', role: 'alert' }, isKeyless ? words.keyMissing : explain(error)),
      h('button', { type: 'button', class: 'primary', onclick: () => void start() }, isKeyless ? words.keyGive : '↻'),
    );
  }
  forgetButton.hidden = storedKey() === undefined;
}

function show(kinds: readonly KindOfTask[]): void {
  const actions: CardActions = {
    pathOf: (kind) => kinds.find((each) => each.kind === kind)?.path ?? '',
    fill: (kind, request) => form.fill(kind, request),
  };
  const list = taskList(kinds, actions, usage.refresh);
  const form = makeForm(kinds, (task) => {
    list.add(task);
    usage.refresh();
  });
  put(main, form.element, list.element);
}

whenKeyGiven(() => {
  forgetButton.hidden = false;
  usage.refresh();
});
void start();
