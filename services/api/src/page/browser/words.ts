import { en } from './words/en.ts';
import { zh } from './words/zh.ts';

/** Every text of the page, in the language of the browser: Chinese or English. */
const chinese = navigator.language.toLowerCase().startsWith('zh');
export const words = chinese ? zh : en;
export const language = chinese ? 'zh-CN' : 'en';

/** The name of a field for people; one that has none in the tables is told by its own name. */
export function fieldName(name: string): string {
  return words.fields[name] ?? name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
}

export const kindName = (kind: string): string => words.kinds[kind] ?? kind;
