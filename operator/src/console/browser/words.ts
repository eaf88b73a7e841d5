import { en } from './words/en.ts';
import { zh } from './words/zh.ts';

/** Every text of the page, in the language of the browser: Chinese or English. What the operator wrote stays as it is. */
const chinese = navigator.language.toLowerCase().startsWith('zh');
export const words = chinese ? zh : en;
export const language = chinese ? 'zh-CN' : 'en';

export const clock = (at: number | string): string =>
  new Date(at).toLocaleTimeString(language, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });

export const dayAndClock = (at: string): string =>
  new Date(at).toLocaleString(language, { dateStyle: 'medium', timeStyle: 'medium', hour12: false });
