/** `npm run screenshots`: the pictures of the page in docs/page, from the real thing on the sandbox. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startChromium } from './chromium.ts';
import { KEY, startStack } from './stack.ts';
import { visit } from './visit.ts';

const FOLDER = join(import.meta.dirname, '../../docs/page');
const PROMPTS = ['A lighthouse at dusk, watercolour', 'A fox in the snow, morning light', 'Mountains above the clouds'];

async function take(browser: Browser, url: string, name: string, width: number, height: number, dark: boolean) {
  const { page, giveKey, leave } = await visit(browser, url, {
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  await giveKey(KEY);
  await page.getByLabel('Describe it').fill('A paper boat on a quiet lake, first light');
  await page.getByText(/^about/).waitFor();
  // On a phone the tasks are below the form.
  if (width < 600) await page.getByRole('button', { name: /^Make/ }).scrollIntoViewIfNeeded();
  await page.mouse.wheel(0, width < 600 ? 520 : 0);
  await page.locator('article img').first().waitFor();
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
  await leave();
}

await mkdir(FOLDER, { recursive: true });
const stack = await startStack({ taskSeconds: 0.3 });
const browser = await startChromium();
try {
  for (const prompt of PROMPTS) {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ prompt });
    const reply = await fetch(`${stack.url}/api/images/generations`, { method: 'POST', headers, body });
    const { id }: { id: string } = JSON.parse(await reply.text());
    await fetch(`${stack.url}/api/tasks/${id}/wait`, { method: 'POST', headers, body: '{}' });
  }
  await take(browser, stack.url, 'desktop', 1280, 860, false);
  await take(browser, stack.url, 'phone', 390, 844, true);
} finally {
  await browser.close();
  await stack.stop();
}
