import type { Fault } from '@klingapi/sandbox';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { startChromium } from './chromium.ts';
import { KEY, type Stack, startStack } from './stack.ts';
import { type Visit, visit } from './visit.ts';

/** How long something may take that the service does. */
export const patient = { timeout: 20_000 };

const taskSchema = z.object({ request: z.record(z.string(), z.unknown()) });

/** One browser and one service for a test file; every visitor is somebody new. */
export function usePage() {
  let browser: Browser;
  let stack: Stack;
  let fault: Fault | undefined;
  const visits: Visit[] = [];
  beforeAll(async () => {
    browser = await startChromium();
    stack = await startStack({ taskSeconds: 0.3, fault: (method) => (method === 'POST' ? fault : undefined) });
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });
  afterEach(async () => {
    fault = undefined;
    const complaints = visits.flatMap((each) => each.complaints);
    for (const each of visits.splice(0)) await each.leave();
    expect(complaints).toEqual([]);
  });
  return {
    url: () => stack.url,
    /** What every create meets at Kling, until the end of the test. */
    meet(next: Fault): void {
      fault = next;
    },
    /** @param key `''` gives none, so that the page asks */
    async open(options?: BrowserContextOptions, key: string = KEY): Promise<Page> {
      const visitor = await visit(browser, stack.url, options);
      visits.push(visitor);
      if (key !== '') await visitor.giveKey(key);
      return visitor.page;
    },
    /** As another client of the same caller does. */
    async create(path: string, body: unknown): Promise<z.output<typeof taskSchema>> {
      const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
      const reply = await fetch(stack.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      expect(reply.status).toBe(202);
      return taskSchema.parse(await reply.json());
    },
  };
}

export const makeButton = (page: Page): Locator => page.getByRole('button', { name: /^Make (the|it)/ });
export const cards = (page: Page): Locator => page.locator('article');
export const alertOf = (page: Page): Locator => page.locator('form.make [role=alert]');

export async function chooseKind(page: Page, kind: string): Promise<void> {
  await page.getByRole('radio', { name: 'Something else' }).check();
  await page.locator('form.make').getByLabel('Kind', { exact: true }).selectOption(kind);
}

/** Whatever is folded. */
export const unfold = (page: Page): Promise<void> =>
  page.locator('details').evaluateAll((all) => {
    for (const each of all) each.setAttribute('open', '');
  });

/** What those who hear the field are told with it. */
export async function saidAt(field: Locator): Promise<string> {
  const ids = (await field.getAttribute('aria-describedby')) ?? '';
  const texts = ids.split(' ').map((id) => field.page().locator(`[id="${id}"]`).textContent());
  return (await Promise.all(texts)).join(' ');
}
