/** `npm run screenshots`: the pictures of the page in docs/page, from the real thing on the sandbox, and of the console in docs/console. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { startChromium } from './chromium.ts';
import { fill, startWorld } from './console-world.ts';
import { KEY, startStack } from './stack.ts';
import { visit } from './visit.ts';

const FOLDER = join(import.meta.dirname, '../../docs/page');
const CONSOLE_FOLDER = join(import.meta.dirname, '../../docs/console');
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

/** @param name of the KlingApi that is opened; the fleet without it */
async function takeConsole(
  browser: Browser,
  url: string,
  picture: string,
  options: { width: number; height: number; dark: boolean; name?: string },
) {
  const { width, height, dark, name } = options;
  const { page, leave } = await visit(browser, url, {
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const link = page.getByRole('link', { name: name ?? 'studio', exact: true });
  await link.waitFor();
  if (name !== undefined) {
    await link.click();
    await page.getByLabel('Time shown').selectOption('5 minutes');
    await page.locator('.entry summary').first().click();
    await page.evaluate(() => scrollTo(0, 0));
  }
  await page.screenshot({ path: join(CONSOLE_FOLDER, `${picture}.png`) });
  await leave();
}

async function consolePictures(browser: Browser): Promise<void> {
  await mkdir(CONSOLE_FOLDER, { recursive: true });
  const world = await startWorld();
  try {
    fill(world);
    await takeConsole(browser, world.url, 'fleet', { width: 1280, height: 830, dark: false });
    await takeConsole(browser, world.url, 'repair', { width: 1280, height: 1000, dark: false, name: 'studio' });
    await takeConsole(browser, world.url, 'phone', { width: 390, height: 844, dark: true, name: 'portraits' });
  } finally {
    await world.stop();
  }
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
  await consolePictures(browser);
} finally {
  await browser.close();
  await stack.stop();
}
