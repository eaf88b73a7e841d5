import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { violations } from './axe.ts';
import { startChromium } from './chromium.ts';
import { condition, fill, iso, repairOf, startWorld, statusOf, type World } from './console-world.ts';
import { type Visit, visit } from './visit.ts';

let browser: Browser;
let world: World;
const visits: Visit[] = [];
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  world = await startWorld();
});
afterEach(async () => {
  const complaints = visits.flatMap((each) => each.complaints);
  for (const each of visits.splice(0)) await each.leave();
  await world.stop();
  expect(complaints).toEqual([]);
});

async function open(options?: BrowserContextOptions, address = ''): Promise<Page> {
  const visitor = await visit(browser, world.url, options);
  visits.push(visitor);
  if (address !== '') await visitor.page.goto(`${world.url}/${address}`);
  return visitor.page;
}
const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true };
const names = (page: Page) => page.locator('article h3').allInnerTexts();
const sidewaysScroll = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

describe('the fleet', () => {
  it('tells who needs a person first, why, and the next command', async () => {
    fill(world);
    const page = await open();
    await page.getByRole('link', { name: 'catalogue' }).waitFor();
    expect(await names(page)).toEqual(['catalogue', 'portraits', 'fresh', 'banners', 'python', 'studio']);
    const card = page.getByRole('article', { name: 'catalogue' });
    const told = await card.textContent();
    for (const text of ['Needs a person', 'BudgetSpent', '0/1 pods serve', '5 repairs', 'Unreachable (ProcessHung)'])
      expect(told).toContain(text);
    expect(told).toContain('kubectl annotate klingapi catalogue -n shop klingapi.dev/repair="$(date +%s)" --overwrite');
    expect(await page.locator('.counts').textContent()).toContain('6 KlingApis');
    // drawn, and told to those who do not see it
    const strip = page.getByRole('article', { name: 'portraits' }).getByRole('img').first();
    expect(await strip.getAttribute('aria-label')).toBe(
      'Newest handshakes of portraits-mcp-6f7d5-cc2dd, oldest first: 24 Serving, 6 Failing',
    );
    expect(await strip.locator('path').count()).toBe(30);
  });

  it('without any KlingApi tells the next command', async () => {
    const page = await open();
    await page.getByText('kubectl apply -n media -f docs/examples/sandbox.yaml').waitFor();
    world.put('media/studio', statusOf('media/studio', [{ name: 'studio-mcp-1', verdict: 'Serving' }]));
    await page.getByRole('link', { name: 'studio' }).waitFor();
    expect(await page.getByText('docs/examples/sandbox.yaml').count()).toBe(0);
    world.remove('media/studio');
    await page.getByText('kubectl apply -n media -f docs/examples/sandbox.yaml').waitFor();
  });

  it('finds one among many', async () => {
    for (let at = 0; at < 200; at += 1)
      world.put(`team-${at % 7}/api-${at}`, statusOf('a/b', [{ name: `api-${at}-mcp-1`, verdict: 'Serving' }]));
    const page = await open();
    await page.getByText('200 KlingApis').waitFor();
    await page.getByLabel('Name or namespace').fill('api-19');
    await expect.poll(() => page.locator('article').count()).toBe(11);
    await page.getByLabel('Name or namespace').fill('no such');
    await page.getByText('None fits.').waitFor();
  });

  it('on a replica that stands by says so, and how to reach the other', async () => {
    fill(world);
    world.leading = false;
    const page = await open();
    await page.getByText('This replica stands by').waitFor();
    await page
      .getByText(/^kubectl port-forward -n kling-system pod\/kling-operator-7c9d8-q8q8q \d+:console$/)
      .waitFor();
    // when the other goes, this one takes over, and nobody has to reload
    world.leading = true;
    await page.getByText('This replica stands by').waitFor({ state: 'detached', timeout: 15_000 });
  });

  it('says when nobody answers any more, and that it comes back by itself', async () => {
    fill(world);
    const page = await open();
    await page.getByRole('link', { name: 'studio' }).waitFor();
    await world.stop();
    await page.getByText('Connection lost').waitFor();
    await page.getByText('kubectl kling console').waitFor();
    const port = Number(new URL(world.url).port);
    world = await startWorld(port);
    world.put('media/again', statusOf('media/again', [{ name: 'again-mcp-1', verdict: 'Serving' }]));
    await page.getByRole('link', { name: 'again' }).waitFor({ timeout: 15_000 });
    await page.getByText('Connection lost').waitFor({ state: 'detached' });
    // Chromium says in its console that a stream broke, which is what this is about
    visits.splice(0, 1)[0]!.leave();
  });
});

describe('one KlingApi', () => {
  it('shows a repair as it goes through', async () => {
    const [left, right, fresh] = ['studio-mcp-1', 'studio-mcp-2', 'studio-mcp-3'];
    const well = { name: left, verdict: 'Serving' as const };
    world.put('media/studio', statusOf('media/studio', [well, { name: right, verdict: 'Serving' }]));
    world.shake('media/studio', left, ['Serving', 'Serving', 'Serving']);
    world.shake('media/studio', right, ['Serving', 'Serving', 'Serving']);
    const page = await open({}, '#/media/studio');
    const drawing = page.locator('.drawing svg');
    await page.getByText('Never repaired.').waitFor();
    expect(await drawing.getAttribute('aria-label')).toContain('2 pods, 0 incidents, 0 repairs');
    expect(await drawing.locator('.mark.Serving').count()).toBe(12);

    world.shake('media/studio', right, ['Failing SessionManagerDown', 'Failing SessionManagerDown'], 2_000);
    await expect.poll(() => drawing.locator('.mark.Failing').count()).toBe(4);

    const failing = { name: right, verdict: 'Failing' as const, diagnosis: 'SessionManagerDown', message: 'HTTP 500' };
    world.put(
      'media/studio',
      statusOf('media/studio', [well, failing], { repairsTotal: 1, repairs: [repairOf(right, fresh, 1, false)] }),
    );
    await page.locator('.detail .badge').getByText('Being repaired').waitFor();
    await expect.poll(() => page.getByRole('status').textContent()).toContain('studio: Being repaired');
    expect(await drawing.getAttribute('aria-label')).toContain('1 incident, 1 repair');
    const entry = page.locator('.entry');
    await entry.locator('summary').click();
    await entry.locator('summary').getByText('Under way').waitFor();
    expect(await drawing.locator('.step').count()).toBe(3);

    world.put(
      'media/studio',
      statusOf('media/studio', [well, { name: fresh, verdict: 'Serving' }], {
        ...{ repairsTotal: 1, repairs: [repairOf(right, fresh, 10, true)] },
      }),
    );
    world.shake('media/studio', fresh, ['Serving']);
    await entry.locator('summary').getByText('Recovered').waitFor();
    await expect.poll(() => page.getByRole('status').textContent()).toContain('studio: Well');
    // what somebody opened stays open while it changes
    await entry.getByText('15.1 s, from its first failed handshake').waitFor();
    expect(await drawing.locator('.step').count()).toBe(6);
    await drawing.getByText(`${right} (gone)`).waitFor();
    expect(await drawing.locator('text.pod').allInnerTexts()).toHaveLength(3);
    const steps = await entry.getByRole('img').getAttribute('aria-label');
    expect(steps).toMatch(/^Steps: HandshakeFailed \+0.0 s, Diagnosed \+12.0 s, .*Verified \+21.4 s$/);
  });

  it('gives the report as Markdown, the same as the command does', async () => {
    fill(world);
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] }, '#/media/studio');
    await page.locator('.entry summary').click();
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/^# Repair of studio \(namespace media\)\n\n\| {2}\| {2}\|\n/);
    expect(copied).toContain('**SessionManagerDown.** The session manager of the MCP server is gone');
    expect(copied).toContain('| 3/3 |');
  });

  it('tells the timeline as a table too, and as much of it as is asked for', async () => {
    fill(world);
    const page = await open({}, '#/media/studio');
    await page.locator('.drawing svg').waitFor();
    await page.getByText('The same as a table').click();
    const rows = page.locator('.timeline tbody tr');
    await expect.poll(() => rows.count()).toBe(4);
    expect(await rows.allInnerTexts()).toEqual([
      expect.stringMatching(/t7m4d\tServing\tServing\t4 ms$/),
      expect.stringMatching(/9zqwr\tFailing \(SessionManagerDown\)\tFailing \(SessionManagerDown\)\t4 ms$/),
      expect.stringMatching(/kx2lp\tServing/),
      expect.stringMatching(/9zqwr\tServing/),
    ]);
    const marks = await page.locator('.drawing .mark').count();
    await page.getByLabel('Time shown').selectOption('5 minutes');
    await expect.poll(() => page.locator('.drawing .mark').count()).toBeLessThan(marks / 2);
  });

  it('without a handshake, a pod or a repair tells what to ask next', async () => {
    world.put('lab/fresh', {});
    const page = await open({}, '#/lab/fresh');
    await page.getByText('No handshake was seen in this time.').waitFor();
    const told = await page.locator('.detail').textContent();
    for (const command of [
      'kubectl get pods -n lab -l klingapi.dev/name=fresh',
      'kubectl describe deployment fresh-mcp -n lab',
      'kubectl events -n lab --for klingapi/fresh',
    ])
      expect(told).toContain(command);
    await page.goto(`${world.url}/#/lab/nobody`);
    await page.getByText('kubectl get klingapis -n lab').waitFor();
  });

  it('shows what a server claims as text', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const status = statusOf('media/studio', [
      { name: 'studio-mcp-1', verdict: 'Failing', diagnosis: 'HttpError', message: evil },
    ]);
    const repair = repairOf('studio-mcp-1', '', 20, false);
    repair.evidence.excerpt = evil;
    world.put('media/studio', { ...status, repairs: [repair] });
    const page = await open({}, '#/media/studio');
    await page.locator('.entry summary').click();
    await page.locator('.entry code').getByText(evil).waitFor();
    expect(await page.locator('.detail img').count()).toBe(0);
  });
});

describe('for everybody', () => {
  it.each(['light', 'dark'] as const)('has nothing that axe-core finds wrong in %s colours', async (colorScheme) => {
    fill(world);
    const page = await open({ colorScheme, reducedMotion: 'reduce' });
    await page.getByRole('link', { name: 'studio' }).waitFor();
    expect(await violations(page)).toEqual([]);
    for (const name of ['studio', 'portraits', 'catalogue', 'fresh']) {
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name: 'Conditions' }).waitFor();
      for (const each of await page.locator('summary').all()) await each.click();
      expect(await violations(page), name).toEqual([]);
      await page.getByRole('link', { name: 'The fleet' }).click();
      await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    }
    world.leading = false;
    await page.getByText('This replica stands by').waitFor({ timeout: 15_000 });
    expect(await violations(page)).toEqual([]);
  });

  it('has no sideways scroll on a phone', async () => {
    fill(world);
    const page = await open(PHONE);
    await page.getByRole('link', { name: 'studio' }).waitFor();
    expect(await sidewaysScroll(page)).toBe(0);
    for (const name of ['studio', 'catalogue']) {
      await page.goto(`${world.url}/#/${name === 'studio' ? 'media' : 'shop'}/${name}`);
      await page.getByRole('heading', { level: 2, name }).waitFor();
      for (const each of await page.locator('summary').all()) await each.click();
      expect(await sidewaysScroll(page), name).toBe(0);
    }
  });

  it('works by the keyboard alone', async () => {
    fill(world);
    const page = await open();
    await page.getByRole('link', { name: 'studio' }).waitFor();
    const focused = () =>
      page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`);
    const tabTo = async (what: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses += 1) {
        if (what.test(await focused())) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not reach ${what}`);
    };
    await tabTo(/^A Skip/);
    await page.keyboard.press('Enter');
    expect(await focused()).toMatch(/^MAIN/);
    await tabTo(/^A studio/);
    // a handshake that comes in takes the focus from nobody
    world.shake('media/studio', 'studio-mcp-5d8f7c9b64-kx2lp', ['Unknown']);
    await page.getByRole('article', { name: 'studio' }).locator('.mark.Unknown').waitFor({ state: 'attached' });
    expect(await focused()).toBe('A studio');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Conditions' }).waitFor();
    expect(await focused()).toMatch(/^MAIN/);
    await tabTo(/^SUMMARY 1SessionManagerDown/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Before and after' }).waitFor();
    await tabTo(/^BUTTON Copy as Markdown/);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('status').textContent()).toContain('Copied');
  });

  it('speaks Chinese to those who do', async () => {
    fill(world);
    const page = await open({ locale: 'zh-CN' });
    await page.getByRole('article', { name: 'catalogue' }).getByText('需要人工处理').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
  });
});

it('leads a person to what only a person can mend', async () => {
  const message = 'Secret shop-kling is missing';
  world.put(
    'shop/window',
    statusOf('shop/window', [{ name: 'window-mcp-1', verdict: 'Serving' }], {}, [
      condition('Degraded', 'True', 'MissingSecret', message),
      { ...condition('Reconciling', 'True', 'MissingSecret', message), lastTransitionTime: iso(5) },
    ]),
  );
  const page = await open({}, '#/shop/window');
  await page.locator('.detail .badge').getByText('Needs a person').waitFor();
  await page.getByText('docs/runbooks/MissingSecret.md').waitFor();
  await page.getByText('kubectl describe klingapi window -n shop').waitFor();
});
