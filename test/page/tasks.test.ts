import { drawPicture } from '@klingapi/sandbox';
import { describe, expect, it } from 'vitest';
import { KEY } from './stack.ts';
import { alertOf, cards, chooseKind, makeButton, patient, usePage } from './use-page.ts';

const { create, meet, open, url } = usePage();

describe('a task', () => {
  it('gives a picture that appears, with what it cost', async () => {
    const page = await open();
    await page.getByLabel('Describe it').fill('<img src=x onerror=alert(1)> a fox');
    await page.getByText('about 8 units ($0.028)').waitFor();
    await makeButton(page).click();
    const card = cards(page).first();
    await card.getByText('Ready').waitFor(patient);
    // Somebody's words are never markup.
    await card.getByText('<img src=x onerror=alert(1)> a fox').waitFor();
    const picture = card.locator('img');
    await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth), patient).toBeGreaterThan(0);
    await card.getByText('cost 8 units').waitFor();
    await expect.poll(() => page.locator('.usage summary').textContent(), patient).toMatch(/Today: \d+ tasks?, \$/);

    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      card.getByRole('button', { name: 'Download: Picture' }).click(),
    ]);
    expect(saved.suggestedFilename()).toMatch(/^kling-[0-9a-f]{8}-0\.png$/);

    await card.getByRole('button', { name: 'Animate' }).click();
    await page.locator('.given').getByText('Picture.png').first().waitFor();
    expect(await page.getByRole('radio', { name: 'Picture to video' }).isChecked()).toBe(true);
  });

  it('gives a video that plays and a sound that plays', async () => {
    const page = await open();
    await page.getByRole('radio', { name: 'Video', exact: true }).check();
    await page.getByLabel('Describe it').fill('a fox runs');
    await makeButton(page).click();
    await cards(page).locator('video').first().waitFor(patient);
    await chooseKind(page, 'text-to-audio');
    await page.getByLabel('Describe it').fill('rain');
    await makeButton(page).click();
    await cards(page).locator('audio').first().waitFor(patient);
    for (const media of [cards(page).locator('video').first(), cards(page).locator('audio').first()]) {
      await media.scrollIntoViewIfNeeded();
      await expect.poll(() => media.evaluate((each: HTMLMediaElement) => each.duration), patient).toBeGreaterThan(0);
      await media.evaluate((each: HTMLMediaElement) => {
        each.muted = true;
        return each.play();
      });
      await expect.poll(() => media.evaluate((each: HTMLMediaElement) => each.currentTime)).toBeGreaterThan(0);
    }
  });

  it('gives the memory of its files back when it is gone, also of one on its way', async () => {
    const page = await open();
    await page.evaluate(() => {
      const { createObjectURL, revokeObjectURL } = URL;
      const held = new Set<string>();
      URL.createObjectURL = (what) => {
        const url = createObjectURL(what);
        held.add(url);
        return url;
      };
      URL.revokeObjectURL = (url) => {
        held.delete(url);
        revokeObjectURL(url);
      };
      Object.assign(window, { held });
    });
    const held = () => page.evaluate('window.held.size');
    const show = (status: string) => page.locator('.filters').getByLabel('Status').selectOption(status);
    await create('/api/images/generations', { prompt: 'a fox' });
    await show('succeeded');
    await expect.poll(held, patient).toBeGreaterThan(0);
    await show('failed');
    await expect.poll(held).toBe(0);

    const hold = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    await page.route(/\/results\//, async (route) => {
      asked.resolve();
      await hold.promise;
      await route.continue().catch(() => {});
    });
    await show('succeeded');
    await asked.promise;
    await show('failed');
    await page.getByText('No task fits.').or(cards(page).getByText('Failed').first()).first().waitFor();
    hold.resolve();
    await page.evaluate(() => fetch('/page/icon.svg'));
    expect(await held()).toBe(0);

    await page.getByRole('radio', { name: 'Picture to video' }).check();
    const fox = { name: 'fox.png', mimeType: 'image/png', buffer: drawPicture('fox', '16:9', 0) };
    await page.locator('input[type=file]').first().setInputFiles(fox);
    await page.locator('.given img').first().waitFor(patient);
    await expect.poll(held).toBe(0);
  });

  it('that fails is told in words', async () => {
    const page = await open();
    await page.getByLabel('Describe it').fill('a fox');
    meet('1102');
    await makeButton(page).click();
    await expect.poll(() => alertOf(page).textContent(), patient).toContain('nothing left to pay with');
    meet('1301');
    await makeButton(page).click();
    await expect.poll(() => alertOf(page).textContent(), patient).toContain('Kling refuses the content');
  });

  it('that was made elsewhere shows up and moves, and so do more than a browser has connections', async () => {
    const page = await open();
    await page.locator('form.make').waitFor();
    for (let at = 0; at < 9; at += 1) await create('/api/images/generations', { prompt: `elsewhere ${at}` });
    await page.getByText('elsewhere 0').waitFor(patient);
    for (let at = 0; at < 9; at += 1) {
      await cards(page)
        .filter({ hasText: `elsewhere ${at}` })
        .getByText('Ready')
        .waitFor(patient);
    }
  });

  it('can be looked for by status and kind, and older ones by page', async () => {
    const page = await open();
    for (let at = 0; at < 25; at += 1) await create('/api/images/generations', { prompt: `many ${at}` });
    const filters = page.locator('.filters');
    await filters.getByLabel('Kind').selectOption('text-to-image');
    await expect.poll(() => cards(page).count(), patient).toBe(24);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await expect.poll(() => cards(page).count(), patient).toBeGreaterThan(24);
    await filters.getByLabel('Status').selectOption('Failed');
    await cards(page).first().getByText('Kling refuses the content').waitFor(patient);
    await filters.getByLabel('Kind').selectOption('lip-sync');
    await page.getByText('No task fits.').waitFor();
  });

  it('can be copied as a command that works, without the key in it', async () => {
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByLabel('Describe it').fill("it's a fox");
    await page.locator('form.make').getByRole('button', { name: 'Copy as curl' }).click();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain(`curl -s '${url()}/api/images/generations'`);
    expect(command).toContain('Bearer $KLING_KEY');
    expect(command).not.toContain(KEY);
  });
});
