import { explain, request } from '../api.ts';
import { h, put } from '../element.ts';
import { words } from '../words.ts';

export type MediaGroup = 'images' | 'videos' | 'audios';

interface MediaFile {
  readonly href: string;
  readonly index: number;
}

export interface MediaView {
  readonly element: HTMLElement;
  load(): Promise<Blob | undefined>;
  /** Gives the memory back. */
  close(): void;
}

/** As soon as it can be seen nearly. */
const MARGIN = '200px';

/**
 * One picture, video or sound of a task. The bytes need the key, which only
 * `fetch` can send, so they are shown from memory; pictures when they come into
 * sight, videos and sounds on demand or, when they are new, at once.
 */
export function mediaView(group: MediaGroup, file: MediaFile, alt: string, atOnce: boolean): MediaView {
  let url: string | undefined;
  let loading: Promise<Blob | undefined> | undefined;
  const element = h('div', { class: `view ${group}` });

  const show = async (): Promise<Blob | undefined> => {
    put(element, h('p', { class: 'hint' }, words.loading));
    try {
      const blob = await (await request(file.href)).blob();
      url = URL.createObjectURL(blob);
      put(
        element,
        shown(group, url, alt, () => put(element, h('p', { class: 'hint' }, words.unsupported))),
      );
      return blob;
    } catch (error) {
      loading = undefined;
      put(element, h('p', { class: 'error' }, explain(error)), loadButton());
      return undefined;
    }
  };
  const load = (): Promise<Blob | undefined> => {
    loading ??= show();
    return loading;
  };
  const loadButton = () =>
    h('button', { type: 'button', class: 'load', onclick: () => void load() }, words.load[group]);

  const sight = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      sight.disconnect();
      void load();
    },
    { rootMargin: MARGIN },
  );
  if (group === 'images' || atOnce) sight.observe(element);
  else put(element, loadButton());

  return {
    element,
    load,
    close() {
      sight.disconnect();
      if (url !== undefined) URL.revokeObjectURL(url);
    },
  };
}

function shown(group: MediaGroup, src: string, alt: string, onerror: () => void): HTMLElement {
  if (group === 'images') return h('img', { src, alt, onerror });
  const media = { src, controls: true, preload: 'metadata', 'aria-label': alt, onerror };
  return group === 'videos' ? h('video', { ...media, playsinline: true }) : h('audio', media);
}

/** Saves it under a name of the task. */
export async function download(view: MediaView, name: string): Promise<void> {
  const blob = await view.load();
  if (blob === undefined) return;
  const url = URL.createObjectURL(blob);
  const type = blob.type.split(/[/;]/)[1]?.replace('jpeg', 'jpg').replace('mpeg', 'mp3') ?? '';
  h('a', { href: url, download: type === '' ? name : `${name}.${type}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
