import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violations } from './axe.ts';
import { KEY } from './stack.ts';
import { cards, chooseKind, makeButton, patient, unfold, usePage } from './use-page.ts';
import { giveKey } from './visit.ts';

const { open } = usePage();

const sidewaysScroll = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe('for everybody', () => {
  it('has no sideways scroll on a phone', async () => {
    const page = await open({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
    await page.getByLabel('Describe it').fill('averyveryverylongwordwithoutanyspaceinitatall'.repeat(3));
    await makeButton(page).click();
    await cards(page).first().locator('img').waitFor(patient);
    expect(await sidewaysScroll(page)).toBe(0);
    for (const kind of ['solution-goods', 'motion-control', 'face-lip-sync', 'image-expand']) {
      await chooseKind(page, kind);
      await unfold(page);
      expect(await sidewaysScroll(page), kind).toBe(0);
    }
    await page.locator('.usage summary').click();
    expect(await sidewaysScroll(page)).toBe(0);
  });

  it('works by the keyboard alone', async () => {
    const page = await open({}, '');
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: at } = document;
        return `${at?.tagName} ${at?.getAttribute('value') ?? ''} ${at?.id} ${at?.textContent}`;
      });
    const tabTo = async (what: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        if (what.test(await focused())) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not reach ${what}`);
    };
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type(KEY);
    await page.keyboard.press('Enter');
    await page.locator('form.make').waitFor();
    await tabTo(/text-to-image/);
    await page.keyboard.press('ArrowRight');
    await page.getByLabel('Length').waitFor();
    await page.keyboard.press('ArrowLeft');
    await tabTo(/^TEXTAREA/);
    await page.keyboard.type('made by keyboard alone');
    await tabTo(/Make the picture/);
    await page.keyboard.press('Enter');
    const card = cards(page).filter({ hasText: 'made by keyboard alone' }).first();
    await card.getByText('Ready').waitFor(patient);
    await expect.poll(() => page.getByRole('status').textContent()).toContain('Picture from a text: Ready');
    await tabTo(/Download: Picture/);
    const [saved] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(saved.suggestedFilename()).toMatch(/\.png$/);
  });

  it.each([
    [390, 700],
    [1280, 700],
  ])('shows what has the focus, at %i by %i', async (width, height) => {
    const page = await open({ viewport: { width, height } });
    await chooseKind(page, 'face-lip-sync');
    await unfold(page);
    await page.locator('form.make select').first().focus();
    let reached = 0;
    for (; reached < 60; reached += 1) {
      await page.keyboard.press('Tab');
      // A price that comes in may move the form for a moment.
      const look = () =>
        page.evaluate(() => {
          const at = document.activeElement;
          if (at === null || at.closest('form.make') === null) return 'left';
          const { left, width, top, height } = at.getBoundingClientRect();
          // Its upper edge: a large field may be cut off below.
          const on = document.elementFromPoint(left + width / 2, top + Math.min(height / 2, 20));
          return on !== null && (at.contains(on) || on.contains(at)) ? 'seen' : at.outerHTML.slice(0, 200);
        });
      await expect.poll(look, { timeout: 3000 }).toMatch(/^(seen|left)$/);
      if ((await look()) === 'left') break;
    }
    expect(reached).toBeGreaterThan(10);
  });

  it.each(['light', 'dark'] as const)('has nothing that axe-core finds wrong in %s colours', async (colorScheme) => {
    const page = await open({ colorScheme, reducedMotion: 'reduce' }, '');
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
    await giveKey(page, KEY);
    await page.getByLabel('Describe it').fill('a fox');
    await makeButton(page).click();
    await cards(page).first().locator('img').waitFor(patient);
    await page.getByRole('radio', { name: 'Video', exact: true }).check();
    await makeButton(page).click();
    await cards(page).first().locator('video').waitFor(patient);
    await unfold(page);
    expect(await violations(page)).toEqual([]);
    // With errors, and a form that has everything in it.
    await chooseKind(page, 'image-expand');
    await makeButton(page).click();
    await chooseKind(page, 'face-lip-sync');
    await makeButton(page).click();
    await unfold(page);
    expect(await violations(page)).toEqual([]);
  });

  it('speaks Chinese to those who do', async () => {
    const page = await open({ locale: 'zh-CN' }, '');
    await page.getByLabel('密钥', { exact: true }).fill(KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '创作' }).waitFor();
    await page.getByLabel('描述').fill('一只狐狸');
    await page.getByRole('button', { name: '生成图片' }).click();
    await cards(page).first().getByText('已完成').waitFor(patient);
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  });
});
