import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { expect, it } from 'vitest';
import { addPage } from './page-route.ts';

async function serve() {
  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  addPage(app);
  return app;
}
const FILES = ['/', '/page/app.js', '/page/style.css', '/page/icon.svg', '/page/forms.json'];

it.each(FILES)('%s comes without a key, under a strict policy, and is asked for again cheaply', async (url) => {
  const app = await serve();
  const { statusCode, headers, body } = await app.inject({ url });
  expect(statusCode).toBe(200);
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  expect(body).not.toMatch(/<script>|<style|\son\w+=/);
  const again = await app.inject({ url, headers: { 'if-none-match': String(headers.etag) } });
  expect([again.statusCode, again.body]).toEqual([304, '']);
});

it('is small on the way', async () => {
  const app = await serve();
  const replies = await Promise.all(
    FILES.map((url) => app.inject({ url, headers: { 'accept-encoding': 'gzip, br' } })),
  );
  expect(replies.every(({ headers }) => headers['content-encoding'] === 'gzip')).toBe(true);
  expect(replies.reduce((sum, { rawPayload }) => sum + rawPayload.byteLength, 0)).toBeLessThan(40_000);
});

it('has no other files', async () => {
  const app = await serve();
  for (const url of ['/page/', '/page/main.ts', '/page/..%2fpage-route.ts']) {
    expect((await app.inject({ url })).statusCode).toBe(404);
  }
});
