import { announce } from '../announce.ts';
import { h, put } from '../element.ts';
import { words } from '../words.ts';
import { type Field, type FieldOptions, simpleField } from './field.ts';
import { type GivenFile, giveFile } from './give-file.ts';

const ACCEPTS = { image: 'image/*', audio: 'audio/*', any: 'image/*,video/*,audio/*' } as const;

/** A file by its address, or one of this machine: chosen, dropped or pasted. */
export function mediaField(options: FieldOptions): Field {
  const { schema } = options;
  const kind = schema['x-media'] ?? 'any';
  let given: GivenFile | undefined;
  let turn = 0;

  const address = h('input', { type: 'text', inputmode: 'url', autocomplete: 'off', placeholder: 'https://…' });
  const picker = h('input', { type: 'file', accept: ACCEPTS[kind], hidden: true });
  const choose = h('button', { type: 'button', class: 'quiet', onclick: () => picker.click() }, words.file);
  const shown = h('div', { class: 'given' });
  const control = h('div', { class: 'media' }, h('div', { class: 'media-row' }, address, choose, picker), shown);

  const changed = () => control.dispatchEvent(new Event('input', { bubbles: true }));
  const clear = (): void => {
    turn += 1;
    given = undefined;
    put(shown);
    address.disabled = false;
  };
  const field = simpleField(options, {
    control,
    input: address,
    read: () => given?.value() ?? (address.value.trim() === '' ? undefined : address.value.trim()),
    write(value) {
      clear();
      if (value instanceof File) void take(value);
      else if (typeof value === 'string') address.value = value;
    },
  });

  const take = async (file: File): Promise<void> => {
    clear();
    field.clearErrors();
    turn += 1;
    const mine = turn;
    const progress = words.uploading(file.name);
    put(shown, progress);
    announce(progress);
    const outcome = await giveFile(file, schema);
    if (mine !== turn) return;
    if (typeof outcome === 'string') {
      put(shown);
      field.showError([], outcome);
      announce(outcome);
      return;
    }
    given = outcome;
    address.value = '';
    address.disabled = true;
    const away = () => {
      clear();
      address.focus();
      changed();
    };
    const preview = file.type.startsWith('image/') && h('img', { src: outcome.preview, alt: '' });
    const remove = h('button', { type: 'button', class: 'quiet', onclick: away }, words.remove(file.name));
    const how = outcome.isInline ? words.inline : words.uploaded;
    put(shown, preview, h('span', {}, `${file.name}, ${how}`), remove);
    announce(`${file.name}, ${how}`);
    changed();
  };

  const takeFirst = (event: Event, files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file === undefined) return;
    event.preventDefault();
    void take(file);
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
  return field;
}
