import { copyButton, h, newId, put } from '@klingapi/page/browser';
import { withoutDescriptions } from '../../../tasks/described-media.ts';
import type { TaskReply } from '../../../tasks/task.ts';
import { explain, post, Refused } from '../api.ts';
import { curlCommand } from '../curl.ts';
import type { EstimateReply } from '../form/price-tag.ts';
import { kindName, words } from '../words.ts';
import { hasEnded } from './live.ts';
import { download, type MediaGroup, type MediaView, mediaView } from './media-view.ts';

export interface TaskCard {
  readonly element: HTMLElement;
  readonly task: () => TaskReply;
  update(task: TaskReply): void;
  close(): void;
}

export interface CardActions {
  /** Where tasks of this kind are made. */
  pathOf(kind: string): string;
  fill(kind: string, request: unknown): void;
}

const GROUPS: readonly MediaGroup[] = ['images', 'videos', 'audios'];
const WORDS: Readonly<Record<MediaGroup, string>> = { images: words.picture, videos: words.video, audios: words.sound };

/** One task: what was asked, how it stands, what came of it and what it cost. */
export function taskCard(first: TaskReply, actions: CardActions): TaskCard {
  let task = first;
  let views: readonly MediaView[] = [];
  let shownResult = '';
  // What ends before one's eyes is shown at once.
  const startedRunning = !hasEnded(first);

  const state = h('span', { class: 'state' });
  const cost = h('span', { class: 'cost' });
  const media = h('div', { class: 'views' });
  const failure = h('p', { class: 'error' });
  const fileButtons = h('div', { class: 'buttons' });
  const prompt = textOf(first.request['prompt']);
  const model = textOf(first.request['model_name']);
  const title = newId();
  const element = h(
    'article',
    { class: 'task', 'aria-labelledby': title },
    h('header', {}, h('h3', { id: title }, kindName(first.kind)), state),
    prompt !== '' && h('p', { class: 'prompt' }, prompt),
    media,
    failure,
    h(
      'p',
      { class: 'facts' },
      model !== '' && h('span', {}, model),
      h('time', { datetime: first.createdAt }, new Date(first.createdAt).toLocaleString()),
      cost,
    ),
    h(
      'div',
      { class: 'buttons' },
      fileButtons,
      h('button', { type: 'button', class: 'quiet', onclick: () => actions.fill(task.kind, given(task)) }, words.again),
      copyButton(words.copyId, words.copied, () => task.id),
      copyButton(words.copyCurl, words.copied, () =>
        curlCommand(location.origin, actions.pathOf(task.kind), given(task)),
      ),
    ),
  );

  const close = (): void => {
    clearInterval(clock);
    for (const view of views) view.close();
  };
  const showState = (): void => {
    const name = task.queued === true ? words.states['queued'] : words.states[task.status];
    const since = Math.max(0, Math.round((Date.now() - Date.parse(task.createdAt)) / 1000));
    state.className = `state ${task.status}`;
    put(state, h('span', {}, name), !hasEnded(task) && ` ${words.elapsed(since)}`);
  };
  const showResult = (): void => {
    const told = JSON.stringify(task.result ?? null);
    if (told === shownResult || task.result === undefined) return;
    shownResult = told;
    for (const view of views) view.close();
    const { result } = task;
    const alt = prompt === '' ? kindName(task.kind) : prompt;
    const files = GROUPS.flatMap((group) => (result[group] ?? []).map((file) => ({ group, file })));
    const made = files.map(({ group, file }) => ({ group, file, view: mediaView(group, file, alt, startedRunning) }));
    views = made.map(({ view }) => view);
    const things = [...(result.elements ?? []), ...(result.voices ?? [])];
    put(media, ...views.map((view) => view.element), ...things.map(thing));
    put(
      fileButtons,
      ...made.flatMap(({ group, file, view }, at) => {
        const number = made.length > 1 ? ` ${at + 1}` : '';
        const name = `${WORDS[group]}${number}`;
        const save = () => void download(view, `kling-${task.id.slice(0, 8)}-${file.index}`);
        const animate = async () => {
          const blob = await view.load();
          if (blob === undefined) return;
          const image = new File([blob], `${name}.${blob.type.split('/')[1] ?? 'png'}`, { type: blob.type });
          actions.fill('image-to-video', { image });
        };
        return [
          h('button', { type: 'button', class: 'quiet', onclick: save }, `${words.download}: ${name}`),
          group === 'images' &&
            h('button', { type: 'button', class: 'quiet', onclick: () => void animate() }, `${words.animate}${number}`),
        ];
      }),
    );
  };
  const showCost = (): void => {
    if (task.charge !== undefined) put(cost, words.charged(task.charge.units));
  };
  const update = (next: TaskReply): void => {
    task = next;
    showState();
    showResult();
    showCost();
    element.classList.toggle('running', !hasEnded(task));
    // Their failures read like refusals: the plain words first.
    put(failure, task.error === undefined ? '' : explain(asRefused(task.error)));
    if (hasEnded(task)) clearInterval(clock);
  };
  const clock = setInterval(showState, 1000);
  update(first);
  if (!hasEnded(first)) void expected(first).then((units) => cost.textContent === '' && put(cost, units));
  return { element, task: () => task, update, close };
}

/** What the task will probably cost; nothing where that is not known. */
async function expected({ kind, request }: TaskReply): Promise<string> {
  const reply = await post<EstimateReply>('/api/estimate', { kind, request }, { by: 'page' }).catch(() => undefined);
  return reply?.estimate === undefined || reply.estimate.per !== undefined ? '' : words.expected(reply.estimate.units);
}

function asRefused({ code, message }: NonNullable<TaskReply['error']>): Refused {
  return new Refused(422, { type: '', title: '', status: 422, detail: message, code, requestId: '' });
}

/** What was asked, without what the service only describes: files that came in the request itself. */
const given = ({ request }: TaskReply): unknown => withoutDescriptions(request);

/** An element or a voice, by its name and the id that prompts use. */
function thing(found: Readonly<Record<string, unknown>>): HTMLElement {
  const name = Object.entries(found).find(([key]) => key.endsWith('_name'))?.[1];
  const id = Object.entries(found).find(([key]) => key.endsWith('_id'))?.[1];
  return h('p', {}, `${textOf(name)} `, h('code', {}, textOf(id)));
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
