import { announce, type Child, h, put } from '@klingapi/page/browser';
import { words } from '../words.ts';
import { type Field, type FieldOptions, simpleField } from './field.ts';
import { giveFile, giving } from './give-file.ts';

const ACCEPTS = { image: 'image/*', audio: 'audio/*', any: 'image/*,video/*,audio/*' } as const;

/**
 * A file of this machine. While it has neither been given nor cleared, the field
 * reads as the file itself: it is not empty, and it can be written elsewhere.
 */
interface Held {
  readonly file: File;
  readonly stop: AbortController;
  /** As the request takes it. */
  given?: string;
  /** Why it could not be given; nothing is sent without the file until somebody clears or replaces it. */
  problem?: string;
}

/** A file by its address, or one of this machine: chosen, dropped or pasted. */
export function mediaField(options: FieldOptions): Field {
  const { schema } = options;
  const kind = schema['x-media'] ?? 'any';
  let held: Held | undefined;

  const address = h('input', {
    ...{ type: 'text', inputmode: 'url', autocomplete: 'off', placeholder: 'https://…' },
    // Whoever types an address instead wants no file any more.
    oninput: () => clear(),
  });
  const picker = h('input', { type: 'file', accept: ACCEPTS[kind], hidden: true });
  const choose = h('button', { type: 'button', class: 'quiet', onclick: () => picker.click() }, words.file);
  const shown = h('div', { class: 'given' });
  const control = h('div', { class: 'media' }, h('div', { class: 'media-row' }, address, choose, picker), shown);

  const changed = () => control.dispatchEvent(new Event('input', { bubbles: true }));
  const clear = (): void => {
    held?.stop.abort();
    held = undefined;
    put(shown);
    address.readOnly = false;
  };
  const field = simpleField(options, {
    control,
    input: address,
    read: () => (held === undefined ? address.value.trim() || undefined : (held.given ?? held.file)),
    write(value) {
      clear();
      if (value instanceof File) giving(take(value));
      else if (typeof value === 'string') address.value = value;
    },
    problem: () => held?.problem,
  });

  const take = async (file: File): Promise<void> => {
    clear();
    field.clearErrors();
    const mine: Held = { file, stop: new AbortController() };
    held = mine;
    address.value = '';
    address.readOnly = true;
    const away = () => {
      clear();
      field.clearErrors();
      address.focus();
      changed();
    };
    const remove = h('button', { type: 'button', class: 'quiet', onclick: away }, words.remove(file.name));
    const tell = (text: string, ...before: readonly Child[]): void => {
      put(shown, ...before, h('span', {}, text), remove);
      announce(text);
    };
    tell(words.uploading(file.name));
    const outcome = await giveFile(file, schema, mine.stop.signal);
    if (held !== mine) return;
    if (typeof outcome === 'string') {
      mine.problem = outcome;
      address.readOnly = false;
      tell(file.name);
      field.showError([], outcome);
      announce(outcome);
      return;
    }
    mine.given = outcome.value;
    const how = outcome.isInline ? words.inline : words.uploaded;
    tell(`${file.name}, ${how}`, file.type.startsWith('image/') && preview(file));
    changed();
  };

  const takeFirst = (event: Event, files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file === undefined) return;
    event.preventDefault();
    giving(take(file));
  };
  picker.addEventListener('change', (event) => {
    takeFirst(event, picker.files);
    picker.value = '';
  });
  control.addEventListener('dragover', (event) => {
    event.preventDefault();
    control.classList.add('over');
  });
  control.addEventListener('dragleave', () => control.classList.remove('over'));
  control.addEventListener('drop', (event) => {
    control.classList.remove('over');
    takeFirst(event, event.dataTransfer?.files);
  });
  control.addEventListener('paste', (event) => takeFirst(event, event.clipboardData?.files));
  return { ...field, leave: clear };
}

function preview(file: File): HTMLImageElement {
  const src = URL.createObjectURL(file);
  const free = () => URL.revokeObjectURL(src);
  return h('img', { src, alt: '', onload: free, onerror: free });
}
