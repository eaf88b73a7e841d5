import { describe, expect, it } from 'vitest';
import { type ChooseInput, choose } from './choose.ts';

const rejected = [
  { revision: 'new', generation: 2, at: '2026-11-24T10:00:00Z', reason: 'ImagePull', message: 'no such image' },
];
const input = (overrides: Partial<ChooseInput>): ChooseInput => ({
  wanted: 'new',
  live: 'old',
  revisions: { current: 'old', verified: 'old' },
  generation: 2,
  asked: true,
  mayRoll: () => false,
  isKept: () => true,
  ...overrides,
});

describe('the template that is applied', () => {
  it.each<[string, Partial<ChooseInput>, string, string]>([
    ['is what the spec asks for', {}, 'Wanted', 'new'],
    ['is it also where nothing runs yet', { live: undefined, asked: false }, 'Wanted', 'new'],
    ['stays where others roll first', { asked: false }, 'Queued', 'old'],
    ['needs no turn where somebody else changed what runs', { asked: false, live: 'undone' }, 'Wanted', 'new'],
    ['is the new one when its turn comes', { asked: false, mayRoll: () => true }, 'Wanted', 'new'],
    ['needs no turn where nothing changes', { asked: false, live: 'new' }, 'Wanted', 'new'],
    ['is the verified one after a rejection', { revisions: { verified: 'old', rejected } }, 'RolledBack', 'old'],
    [
      'goes back without a turn',
      { asked: false, live: 'new', revisions: { verified: 'old', rejected } },
      'RolledBack',
      'old',
    ],
    [
      'is tried again for a new generation',
      { generation: 3, revisions: { verified: 'old', rejected } },
      'Wanted',
      'new',
    ],
    [
      'stays the verified one where its template is lost',
      { live: 'old', isKept: () => false, revisions: { verified: 'old', rejected } },
      'RolledBack',
      'old',
    ],
    [
      'is what the spec asks for where there is no way back any more',
      { live: 'new', isKept: () => false, revisions: { verified: 'old', rejected } },
      'Wanted',
      'new',
    ],
    [
      'is what the spec asks for where nothing runs and no other template is there',
      { live: undefined, isKept: () => false, revisions: { verified: 'old', rejected } },
      'Wanted',
      'new',
    ],
  ])('%s', (_, overrides, kind, revision) => {
    expect(choose(input(overrides))).toMatchObject({ kind, revision });
  });
});
