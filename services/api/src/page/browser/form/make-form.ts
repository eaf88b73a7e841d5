import { copyButton, h, newId, put } from '@klingapi/page/browser';
import type { TaskReply } from '../../../tasks/task.ts';
import { explain, post, Refused } from '../api.ts';
import { groupOf, type KindOfTask } from '../catalogue.ts';
import { curlCommand } from '../curl.ts';
import { words } from '../words.ts';
import { filesGiven } from './give-file.ts';
import { type Fields, fieldsOf, isRecord } from './group-field.ts';
import { kindChoice } from './kind-choice.ts';
import { type ModelChoice, modelChoice } from './model-choice.ts';
import { narrow } from './narrow.ts';
import { priceTag } from './price-tag.ts';

export interface MakeForm {
  readonly element: HTMLElement;
  /** Begins anew with this kind of task and these values; files may be among them. */
  fill(kind: string, request: unknown): void;
}

/** Kind, then model, then what that takes; made out of the schemas that check the request. */
export function makeForm(kinds: readonly KindOfTask[], onMade: (task: TaskReply) => void): MakeForm {
  let kind: KindOfTask | undefined;
  let model: ModelChoice | undefined;
  let fields: Fields | undefined;
  // The same as long as the same is sent, so that a second try after a broken connection is paid once.
  let attempt = { body: '', key: '' };
  // What somebody chose to make; another one was begun since when it differs.
  let begun = 0;

  const place = h('div', { class: 'fields' });
  const alert = h('p', { class: 'alert', role: 'alert', tabindex: -1 });
  const submit = h('button', { class: 'primary' });
  const read = (): Record<string, unknown> => {
    const model_name = model?.chosen();
    return { ...(model_name === undefined ? {} : { model_name }), ...fields?.read() };
  };
  const showError = (path: readonly string[], text: string): HTMLElement | undefined =>
    path[0] === 'model_name' ? model?.field?.showError([], text) : fields?.showError(path, text);
  const clearErrors = (only?: ReadonlySet<string>): void => {
    model?.field?.clearErrors(only);
    fields?.clearErrors(only);
  };
  const price = priceTag({ read, showError, clearErrors, kind: () => kind });

  const nameSubmit = (): void => {
    if (kind === undefined) return;
    const group = groupOf(kind);
    submit.textContent = words.submit[group === 'solutions' ? 'other' : group];
  };

  const build = (values: Record<string, unknown>): void => {
    if (kind === undefined) return;
    const known = kind.models.find(({ id }) => id === model?.chosen());
    fields?.leave();
    fields = fieldsOf(narrow(kind.schema, known), kind.example, { without: ['model_name'] });
    fields.write(values);
    put(place, ...fields.elements);
    put(alert);
    price.ask();
  };
  const modelPlace = h('div');
  const start = (chosen: KindOfTask): void => {
    kind = chosen;
    begun += 1;
    const before = fields?.read() ?? {};
    model = modelChoice(chosen.schema.properties?.['model_name'], chosen.models, () => build(fields?.read() ?? {}));
    put(modelPlace, model?.element);
    nameSubmit();
    // What was described for one kind is as good for the other.
    build(typeof before['prompt'] === 'string' ? { prompt: before['prompt'] } : {});
  };
  const choice = kindChoice(kinds, start);

  const refuse = (error: unknown): void => {
    const shown = (error instanceof Refused ? (error.problem?.errors ?? []) : []).map(({ field, problem, hint }) =>
      showError(field.split('.'), [problem, hint].filter((part) => !part.startsWith('see /docs')).join(': ')),
    );
    const atFields = shown.filter((each) => each !== undefined);
    const everyShown = shown.length > 0 && atFields.length === shown.length;
    put(alert, everyShown ? words.fixFields(shown.length) : explain(error));
    (atFields[0] ?? alert).focus();
  };
  const send = async (): Promise<void> => {
    if (kind === undefined || submit.getAttribute('aria-disabled') === 'true') return;
    price.forget();
    put(alert);
    clearErrors();
    submit.setAttribute('aria-disabled', 'true');
    submit.textContent = words.submitting;
    const mine = begun;
    try {
      await filesGiven();
      // Nobody asked for what the form holds by now.
      if (begun !== mine) return;
      price.forget();
      const wrong = [...(model?.field?.check() ?? []), ...(fields?.check() ?? [])];
      if (wrong.length > 0) {
        put(alert, words.fixFields(wrong.length));
        wrong[0]?.focus();
        return;
      }
      const request = read();
      const body = JSON.stringify([kind.kind, request]);
      if (attempt.body !== body) attempt = { body, key: randomKey() };
      const task = await post<TaskReply>(kind.path, request, { headers: { 'idempotency-key': attempt.key } });
      attempt = { body: '', key: '' };
      onMade(task);
      price.ask();
    } catch (error) {
      refuse(error);
    } finally {
      submit.removeAttribute('aria-disabled');
      nameSubmit();
    }
  };

  const title = newId();
  const element = h(
    'form',
    {
      ...{ class: 'make', novalidate: true, 'aria-labelledby': title },
      onsubmit: (event) => {
        event.preventDefault();
        void send();
      },
      oninput: () => price.ask(),
    },
    h('h2', { id: title }, words.make),
    choice.element,
    modelPlace,
    place,
    h(
      'div',
      { class: 'send' },
      alert,
      price.element,
      h(
        'div',
        { class: 'buttons' },
        submit,
        copyButton(words.copyCurl, words.copied, () => curlCommand(location.origin, kind?.path ?? '', read())),
      ),
    ),
  );
  const first = kinds[0];
  if (first !== undefined) choice.choose(first.kind);
  return {
    element,
    fill(chosen, request) {
      fields?.leave();
      fields = undefined;
      choice.choose(chosen);
      if (!isRecord(request)) return;
      model?.choose(request['model_name']);
      build(request);
      element.scrollIntoView({ block: 'start' });
      place.querySelector<HTMLElement>('input, textarea, select')?.focus({ preventScroll: true });
    },
  };
}

/** `crypto.randomUUID` is there only over https. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
