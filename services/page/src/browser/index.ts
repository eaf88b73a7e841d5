export { announce, announcer } from './announce.ts';
export { copyButton } from './clipboard.ts';
export { type Child, h, newId, put } from './element.ts';
