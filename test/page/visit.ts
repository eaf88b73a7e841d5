import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export interface Visit {
  readonly page: Page;
  /** Errors of the console and the page, broken rules of its policy, requests to other origins. */
  readonly complaints: readonly string[];
  giveKey(key: string): Promise<void>;
  leave(): Promise<void>;
}

/** Chromium reports every refusal of the service in its console; those are part of the tests. */
const REFUSAL = /^Failed to load resource: the server responded with a status of 4\d\d/;

/** A visitor with nothing stored. Whatever goes wrong unseen is kept as a complaint. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !REFUSAL.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith('blob:')) complaints.push(`asked ${asked}`);
  });
  await page.goto(url);
  return {
    page,
    complaints,
    giveKey: (key) => giveKey(page, key),
    leave: () => context.close(),
  };
}

/** Answers the page's question. */
export async function giveKey(page: Page, key: string): Promise<void> {
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Make something' }).waitFor();
}
