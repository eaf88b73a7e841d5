import { h, put } from '@klingapi/page/browser';
import { type Asked, explain, request } from '../api.ts';
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
const NEAR = '200px';
/** So far out of sight it gives its memory back. */
const FAR = '5000px';

/**
 * One picture, video or sound of a task. The bytes need the key, which only
 * `fetch` can send, so they are shown from memory; pictures when they come into
 * sight, videos and sounds on demand or, when they are new, at once.
 */
export function mediaView(group: MediaGroup, file: MediaFile, alt: string, atOnce: boolean): MediaView {
  let url: string | undefined;
  let loading: Promise<Blob | undefined> | undefined;
  let stop = new AbortController();
  const element = h('div', { class: `view ${group}` });

  const show = async (by: Asked['by']): Promise<Blob | undefined> => {
    const { signal } = stop;
    put(element, h('p', { class: 'hint' }, words.loading));
    try {
      const blob = await (await request(file.href, { signal, ...(by === undefined ? {} : { by }) })).blob();
      if (signal.aborted) return undefined;
      url = URL.createObjectURL(blob);
      put(
        element,
        shown(group, url, alt, () => put(element, h('p', { class: 'hint' }, words.unsupported))),
      );
      // The place that it takes stays when it goes.
      far.observe(element);
      return blob;
    } catch (error) {
      if (signal.aborted) return undefined;
      loading = undefined;
      put(element, h('p', { class: 'error' }, explain(error)), loadButton());
      return undefined;
    }
  };
  const load = (by?: Asked['by']): Promise<Blob | undefined> => {
    loading ??= show(by);
    return loading;
  };
  const loadButton = () =>
    h('button', { type: 'button', class: 'load', onclick: () => void load() }, words.load[group]);
  const free = (): void => {
    stop.abort();
    stop = new AbortController();
    loading = undefined;
    if (url !== undefined) URL.revokeObjectURL(url);
    url = undefined;
  };

  const near = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      near.disconnect();
      void load('page');
    },
    { rootMargin: NEAR },
  );
  const far = new IntersectionObserver(
    (entries) => {
      const playing = element.querySelector<HTMLMediaElement>('video, audio');
      if (entries.at(-1)?.isIntersecting !== false || playing?.paused === false) return;
      far.disconnect();
      element.style.minHeight = `${element.offsetHeight}px`;
      free();
      if (group === 'images') {
        put(element);
        near.observe(element);
      } else put(element, loadButton());
    },
    { rootMargin: FAR },
  );
  if (group === 'images' || atOnce) near.observe(element);
  else put(element, loadButton());

  return {
    element,
    load: () => load(),
    close() {
      near.disconnect();
      far.disconnect();
      free();
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
