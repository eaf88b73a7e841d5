import type { App } from './context.ts';

/** Stub */
export function addDocs(app: App): void {
  app.get('/docs/json', { schema: { hide: true } }, () => Promise.resolve(app.swagger()));
}
