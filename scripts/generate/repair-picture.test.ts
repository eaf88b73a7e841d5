import { expect, it } from 'vitest';
import { storedRepairSchema } from '../../test/demo/stored-repair.ts';
import { repairPicture } from './repair-picture.ts';

const repair = storedRepairSchema.parse({
  date: '2026-11-24',
  pods: 2,
  diagnosis: 'SessionManagerDown',
  message: 'POST /mcp/v1 answered HTTP 500: <Task group> & "more". Make sure to use run().',
  health: { ok: '0.5 1 1.5', failed: '' },
  clients: { ok: '-1 0 2', failed: '1 1.5' },
  steps: [
    { name: 'HandshakeFailed', after: 2 },
    { name: 'Diagnosed', after: 12 },
    { name: 'PodDeleted', after: 13 },
    { name: 'ReplacementStarted', after: 13 },
    { name: 'Serving', after: 16 },
    { name: 'Verified', after: 19 },
  ],
  summary: '3/3',
});

it.each(['en', 'zh'] as const)('%s: has a word for each step, and every request', (language) => {
  const picture = repairPicture(repair, language);
  for (const { name } of repair.steps) expect(picture).not.toContain(name);
  expect(picture.match(/<rect [^>]*class="bad"/g)).toHaveLength(2 + 1);
  expect(picture.match(/<rect [^>]*class="good"/g)).toHaveLength(3 + 3 + 1);
  expect(picture).toContain('3/3');
  expect(picture).toContain('&lt;Task group&gt; &amp; &quot;more&quot;</text>');
});

it('moves only for those who have nothing against it, and has colours for the dark', () => {
  const picture = repairPicture(repair, 'en');
  const [still = '', moving = ''] = picture.split('@media (prefers-reduced-motion: no-preference)');
  expect(still).not.toContain('animation:');
  expect(moving).toContain('animation: appear');
  expect(still).toContain('@media (prefers-color-scheme: dark)');
  // who shows no animation shows everything
  expect(picture).not.toContain('opacity="0"');
});
