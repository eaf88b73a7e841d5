import { drawPicture } from '@klingapi/sandbox';
import type { Page, Request } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { en } from '../../services/api/src/page/browser/words/en.ts';
import { KEY, READ_KEY } from './stack.ts';
import { alertOf, cards, chooseKind, makeButton, patient, saidAt, unfold, usePage } from './use-page.ts';

const formsSchema = z.array(
  z.object({ kind: z.string(), path: z.string(), schema: z.object({ required: z.array(z.string()).default([]) }) }),
);
const modelsSchema = z.object({
  kinds: z.array(z.object({ kind: z.string(), example: z.record(z.string(), z.unknown()) })),
});
const { create, open, url } = usePage();

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

  it('that is known no more is missed quietly, and asked for when somebody wants something', async () => {
    const page = await open();
    await create('/api/images/generations', { prompt: 'a fox' });
    await cards(page).first().waitFor(patient);
    let asked = 0;
    await page.route('**/api/**', (route) => {
      asked += 1;
      return route.fulfill({ status: 401, json: {} });
    });
    // Looks for new ones now instead of in a while, and has done so when the icon is there.
    const look = () =>
      page.evaluate(async () => {
        document.dispatchEvent(new Event('visibilitychange'));
        await fetch('/page/icon.svg');
      });
    await look();
    const notice = page.getByText('Without a key that is known here nothing new is shown.');
    await notice.waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    const before = asked;
    await look();
    expect(asked).toBe(before);

    await page.locator('.filters').getByLabel('Status').selectOption('Failed');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await look();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.unroute('**/api/**');
    await page.locator('.filters').getByLabel('Status').selectOption('');
    await cards(page).first().waitFor(patient);
    await page.getByRole('button', { name: 'Give a key' }).click();
    await page.getByRole('dialog').getByLabel('Key', { exact: true }).fill(KEY);
    await page.keyboard.press('Enter');
    await notice.waitFor({ state: 'hidden' });
    await create('/api/images/generations', { prompt: 'after the key' });
    await look();
    await page.getByText('after the key').waitFor(patient);
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
    const creates = countCreates(page);
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
    expect(creates()).toBe(1);
  });

  it('keeps what was wrong with a request when a price comes', async () => {
    const page = await open();
    await page.getByText(/^about/).waitFor();
    await makeButton(page).click();
    const prompt = page.getByLabel('Describe it');
    await expect.poll(() => saidAt(prompt)).toContain('This is needed');
    const price = page.waitForResponse('**/api/estimate');
    await page.getByLabel('How many').fill('2');
    await (await price).finished();
    await page.getByText('about 16 units').waitFor();
    expect(await saidAt(prompt)).toContain('This is needed');
    expect(await alertOf(page).textContent()).toContain('One field needs another look.');
    await prompt.fill('a fox');
    expect(await saidAt(prompt)).not.toContain('This is needed');
  });

  it('takes a file of this machine', async () => {
    const page = await open();
    await page.getByRole('radio', { name: 'Picture to video' }).check();
    await page.locator('input[type=file]').first().setInputFiles(FOX);
    await page.locator('.given').getByText('fox.png, uploaded').waitFor(patient);
    const sent = await makeAndSee(page);
    expect(sent).toMatchObject({ image: expect.stringMatching(/^upload:/) });
    await cards(page).first().getByText('Ready').waitFor(patient);
  });

  it.each([false, true])('waits for a file that is still on its way (model changed meanwhile: %s)', async (changes) => {
    const page = await open();
    const uploads = await holdUploads(page);
    await page.getByRole('radio', { name: 'Picture to video' }).check();
    await page.getByLabel('Describe it').fill('she turns around');
    await page.locator('input[type=file]').first().setInputFiles(FOX);
    await page.locator('.given').getByText('Uploading fox.png').waitFor();
    await uploads.come;
    if (changes) await page.getByLabel('Model').selectOption('kling-v2-6');
    await page.locator('.given').getByText('Uploading fox.png').waitFor();
    const creates = page.waitForRequest(isCreate);
    await makeButton(page).click();
    await page.getByRole('button', { name: 'Sending…' }).waitFor();
    uploads.letGo();
    expect((await creates).postDataJSON()).toMatchObject({ image: expect.stringMatching(/^upload:/) });
    await cards(page).first().getByText('Ready').waitFor(patient);
  });

  it('makes nothing while a file could not be given, until it is taken away', async () => {
    const page = await open();
    await page.route('**/api/uploads', (route) => route.fulfill({ status: 415, json: UNKNOWN_TYPE }));
    await page.getByRole('radio', { name: 'Picture to video' }).check();
    await page.getByLabel('Describe it').fill('she turns around');
    await page.locator('input[type=file]').first().setInputFiles(FOX);
    const picture = page.getByRole('textbox', { name: 'Picture', exact: true });
    await expect.poll(() => saidAt(picture), patient).toContain('The upload failed: It is no file that Kling takes.');
    const creates = countCreates(page);
    await makeButton(page).click();
    await expect.poll(() => alertOf(page).textContent()).toContain('One field needs another look.');
    expect(await saidAt(picture)).toContain('The upload failed');
    expect(creates()).toBe(0);
    await page.getByRole('button', { name: 'Remove: fox.png' }).click();
    await picture.fill('https://example.com/person.png');
    expect(await makeAndSee(page)).toMatchObject({ image: 'https://example.com/person.png' });
  });

  it('sends no group that nobody touched, and of a touched one what was chosen', async () => {
    const page = await open();
    await page.getByLabel('Describe it').fill('a fox');
    await unfold(page);
    expect(await makeAndSee(page)).not.toHaveProperty('watermark_info');
    await page.getByLabel('With a watermark').selectOption('No');
    expect(await makeAndSee(page)).toHaveProperty('watermark_info', { enabled: false });
  });

  it('makes every kind from the example that it shows', async () => {
    const page = await open();
    const headers = { authorization: `Bearer ${KEY}` };
    const { kinds } = modelsSchema.parse(await (await fetch(`${url()}/api/models`, { headers })).json());
    const forms = formsSchema.parse(await (await fetch(`${url()}/page/forms.json`)).json());
    expect(kinds.length).toBe(30);
    for (const { kind, example } of kinds) {
      const form = forms.find((each) => each.kind === kind);
      if (form === undefined) throw new Error(`${kind} has no form`);
      // As the service keeps it: the example, and what its schema has for the rest.
      const { request } = await create(form.path, example);
      const newest = page
        .locator('article')
        .filter({ has: page.getByRole('heading', { name: en.kinds[kind] ?? kind, exact: true }) });
      await page.locator('.filters').getByLabel('Kind').selectOption(kind);
      await newest.first().getByRole('button', { name: 'Use again' }).click();
      const sent = await makeAndSee(page);
      expect(sent, kind).toEqual(request);
      expect(sent, kind).toMatchObject(example);
    }
  }, 180_000);
});

const FOX = { name: 'fox.png', mimeType: 'image/png', buffer: drawPicture('fox', '16:9', 0) };

const UNKNOWN_TYPE = {
  ...{ type: 'about:blank', title: 'Unknown', status: 415, code: 'upload_type_unknown', requestId: '1' },
  detail: 'It is no file that Kling takes',
};

const isCreate = (request: Request): boolean =>
  request.method() === 'POST' && /\/api\//.test(request.url()) && !/\/api\/(estimate|uploads)$/.test(request.url());

function countCreates(page: Page): () => number {
  let creates = 0;
  page.on('request', (request) => {
    if (isCreate(request)) creates += 1;
  });
  return () => creates;
}

/** Clicks, and gives what was sent and taken. */
async function makeAndSee(page: Page): Promise<unknown> {
  const creates = page.waitForRequest(isCreate);
  await makeButton(page).click();
  const request = await creates;
  const body: unknown = request.postDataJSON();
  expect((await request.response())?.status(), JSON.stringify(body)).toBe(202);
  await page.getByRole('button', { name: 'Sending…' }).waitFor({ state: 'detached' });
  return body;
}

/** Uploads wait until they are let go. */
async function holdUploads(page: Page): Promise<{ come: Promise<void>; letGo: () => void }> {
  const held = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  await page.route('**/api/uploads', async (route) => {
    first.resolve();
    await held.promise;
    // One that was broken off is nobody's any more.
    await route.continue().catch(() => {});
  });
  return { come: first.promise, letGo: held.resolve };
}
