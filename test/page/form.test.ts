import { drawPicture } from '@klingapi/sandbox';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KEY, READ_KEY } from './stack.ts';
import { alertOf, cards, chooseKind, makeButton, patient, saidAt, usePage } from './use-page.ts';

const formsSchema = z.array(
  z.object({ kind: z.string(), schema: z.object({ required: z.array(z.string()).default([]) }) }),
);
const { open, url } = usePage();

describe('the key', () => {
  it('is asked for, told when it is wrong, and kept for this tab alone', async () => {
    const page = await open({}, '');
    const field = page.getByLabel('Key', { exact: true });
    await field.fill('no such key');
    await page.keyboard.press('Enter');
    expect(await saidAt(field)).toContain('A key has no spaces');
    await field.fill('nobodys-key');
    await page.keyboard.press('Enter');
    await page.getByText('This key is not known here.').waitFor();
    await page.getByLabel('Key', { exact: true }).fill(KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Make something' }).waitFor();

    await page.reload();
    await page.getByRole('heading', { name: 'Make something' }).waitFor();
    const stored = await page.evaluate(() => [localStorage.length, document.cookie, ...Object.values(sessionStorage)]);
    expect(stored).toEqual([0, '', KEY]);
    expect(page.url()).toBe(`${url()}/`);

    await page.getByRole('button', { name: 'Forget the key' }).click();
    await page.getByRole('dialog', { name: 'Your key' }).waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByText('Nothing can be shown without a key.').waitFor();
  });

  it('that may only look is told so when it makes something', async () => {
    const page = await open({}, READ_KEY);
    await page.getByLabel('Describe it').fill('a fox');
    await makeButton(page).click();
    await expect.poll(() => alertOf(page).textContent(), patient).toContain('Your key may look but not make anything.');
  });
});

describe('the form', () => {
  it('is there for every kind of task and asks for what its schema needs', async () => {
    const page = await open();
    const forms = formsSchema.parse(await (await fetch(`${url()}/page/forms.json`)).json());
    expect(forms.length).toBe(30);
    for (const { kind, schema } of forms) {
      const quick = page.locator(`input[type=radio][value="${kind}"]`);
      if ((await quick.count()) > 0) await quick.check();
      else await chooseKind(page, kind);
      const shown = await page.locator('.fields').evaluate((fields) => fields.children.length);
      expect(shown, kind).toBeGreaterThanOrEqual(Math.max(1, schema.required.length));
    }
  });

  it('offers only what the model can do, and tells the price before', async () => {
    const page = await open();
    await page.getByRole('radio', { name: 'Video', exact: true }).check();
    const length = page.getByLabel('Length');
    expect(await length.locator('option').allInnerTexts()).toEqual(['5 s', '10 s']);
    expect(await page.getByLabel('Sound').count()).toBe(0);
    await page.getByText('about 1.5 units ($0.21)').waitFor();
    await page.getByLabel('Model').selectOption('kling-v3');
    expect(await length.locator('option').count()).toBe(13);
    await page.getByLabel('Sound').selectOption('On');
    await length.selectOption('10 s');
    await page.getByText('about 9 units ($1.26)').waitFor();
  });

  it('tells what does not go together before anything is sent', async () => {
    const page = await open();
    await page.getByRole('radio', { name: 'Video', exact: true }).check();
    await page.getByLabel('Model').selectOption('kling-v2-6');
    await page.getByLabel('Sound').selectOption('On');
    await expect.poll(() => saidAt(page.getByLabel('Sound')), patient).toContain('kling-v2-6 has no sound in 720p');
  });

  it('tells at the field what is wrong, and takes the reader there', async () => {
    const page = await open();
    await makeButton(page).click();
    const prompt = page.getByLabel('Describe it');
    await expect.poll(() => saidAt(prompt)).toContain('This is needed');
    expect(await prompt.evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await prompt.getAttribute('aria-invalid')).toBe('true');

    // What only the service knows.
    await page.getByRole('radio', { name: 'Picture to video' }).check();
    const picture = page.getByRole('textbox', { name: 'Picture', exact: true });
    await picture.fill('http://127.0.0.1/secret.png');
    await makeButton(page).click();
    await expect.poll(() => picture.getAttribute('aria-invalid'), patient).toBe('true');
    expect(await saidAt(picture)).toMatch(/private/);
    expect(await alertOf(page).textContent()).toContain('One field needs another look.');

    // Inside an entry of a list.
    await chooseKind(page, 'multi-image-to-image');
    await makeButton(page).click();
    const subject = page.getByRole('textbox', { name: 'Subject needed' });
    await expect.poll(() => saidAt(subject)).toContain('This is needed');
    expect(await cards(page).count()).toBe(0);
  });

  it('takes a file of this machine', async () => {
    const page = await open();
    await page.getByRole('radio', { name: 'Picture to video' }).check();
    const file = { name: 'fox.png', mimeType: 'image/png', buffer: drawPicture('fox', '16:9', 0) };
    await page.locator('input[type=file]').first().setInputFiles(file);
    await page.locator('.given').getByText('fox.png').first().waitFor();
    await page.getByText(/^about/).waitFor();
    await makeButton(page).click();
    await cards(page).first().getByText('Ready').waitFor(patient);
  });
});
