/** What must not happen: another object changed, a terminal commanded, a Ctrl-C told as a failure. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { T0 } from '../testing.ts';
import { wellOf } from './testing.ts';
import { type Desk, KLINGAPIS, listOf, openDesk, soon } from './typed.testing.ts';

const studio = wellOf();
let desk: Desk;
beforeEach(async () => {
  desk = await openDesk({
    [`GET ${KLINGAPIS}`]: listOf(studio),
    [`GET ${KLINGAPIS}/studio`]: studio,
    [`PATCH ${KLINGAPIS}/studio`]: studio,
    'GET /apis/klingapi.dev/v1alpha1/klingapis': listOf(studio),
  });
});
afterEach(() => desk.close());

describe('an empty word', () => {
  it('is no namespace: that of the context counts, as with kubectl', async () => {
    const { code, out } = await desk.typed(['pause', '-n', '']);
    expect(code).toBe(0);
    expect(out).toContain('KlingApi studio in namespace media is paused');
    expect(desk.asked).toEqual([`GET ${KLINGAPIS}`, `PATCH ${KLINGAPIS}/studio`]);
  });

  it.each([
    [['pause', ''], 'an argument is empty: kubectl kling pause [NAME]'],
    [['pause', 'klingapi/'], '"klingapi/" is no name of a KlingApi'],
    [['repair', '../../../../api/v1/pods'], 'is no name of a KlingApi'],
    [['pause', '-n', '..'], '--namespace ".." is no name of a namespace'],
    [['history', '.'], '"." is no name of a KlingApi'],
  ])('or a path is no name: %j', async (argv, words) => {
    const { code, err } = await desk.typed(argv);
    expect(err).toContain(words);
    expect([code, desk.asked]).toEqual([2, []]);
  });
});

describe('what others wrote', () => {
  const EVIL = 'x\u001b[2J\u001b]0;owned\u0007\u009b1m\u202egnp.exe\nBROKEN  Forged';

  const event = {
    ...{ type: 'Warning', reason: EVIL, note: EVIL, eventTime: new Date(T0).toISOString() },
    regarding: { kind: 'KlingApi', namespace: 'media', name: 'studio' },
  };

  it('commands no terminal, in tables, errors and progress', async () => {
    desk.answer({ 'GET /apis/events.k8s.io/v1/namespaces/media/events': listOf(event) });
    const { out } = await desk.typed(['history', 'studio']);
    expect(out).toContain('x [2J ]0;owned');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]|^BROKEN/m);
    desk.answer({ [`GET ${KLINGAPIS}/studio`]: (exchange) => exchange.reply(409, { message: EVIL, code: 409 }) });
    const { err } = await desk.typed(['status', 'studio']);
    expect(err).toContain('error: x [2J');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(err).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });

  it('is the same for programs', async () => {
    desk.answer({ 'GET /apis/events.k8s.io/v1/namespaces/media/events': listOf(event) });
    const { out } = await desk.typed(['history', 'studio', '-o', 'json']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(JSON.parse(out).events[0].note).toBe(EVIL);
  });
});

describe('an object of another version', () => {
  const strange = { ...studio, metadata: { ...studio.metadata, name: 'strange' }, spec: { upstream: 7 } };

  it('is told of, and the others are listed', async () => {
    desk.answer({ 'GET /apis/klingapi.dev/v1alpha1/klingapis': listOf(strange, studio) });
    const { code, out, err } = await desk.typed(['status', '-A']);
    expect(out).toMatch(/^media +studio/m);
    expect(err).toMatch(/^KlingApi strange in namespace media cannot be read, .*kubectl kling version.*\n$/);
    expect(code).toBe(0);
  });

  it('counts where a command would take the only one', async () => {
    desk.answer({ [`GET ${KLINGAPIS}`]: listOf(strange, studio) });
    const { code, err } = await desk.typed(['pause']);
    expect(err).toContain('several KlingApis: name one of strange, studio');
    expect([code, desk.asked]).toEqual([2, [`GET ${KLINGAPIS}`]]);
  });

  it('is there for the doctor', async () => {
    desk.answer({
      [`GET ${KLINGAPIS}/strange`]: strange,
      'GET /version': { gitVersion: 'v1.34.4', major: '1', minor: '34' },
      'GET /apis/klingapi.dev/v1alpha1': {
        resources: [{ name: 'klingapis', kind: 'KlingApi', namespaced: true, verbs: [] }],
      },
    });
    const { out } = await desk.typed(['doctor', 'strange', '-o', 'json']);
    const { findings } = JSON.parse(out);
    const found = findings.find(({ layer }: { layer: string }) => layer === 'KlingApi');
    expect(found).toMatchObject({ state: 'Broken', reason: 'Unreadable' });
    expect(found.seen).toContain('KlingApi strange in namespace media cannot be read');
  });
});

describe('Ctrl-C', () => {
  it.each([[['status', 'studio']], [['doctor', 'studio']], [['history', 'studio']], [['version']]])(
    'ends %j at once with 130 and without a word, whatever is under way',
    async (argv) => {
      const silent = (): void => {};
      desk.answer({ [`GET ${KLINGAPIS}/studio`]: silent, 'GET /version': silent });
      const ended = new AbortController();
      const saying = desk.typed(argv, { signal: ended.signal });
      await soon(() => desk.asked.length > 0);
      ended.abort();
      expect(await saying).toEqual({ code: 130, out: '', err: '' });
    },
  );

  it('while a command waits is no failure of what it waits for', async () => {
    const ended = new AbortController();
    const saying = desk.typed(['verify', 'studio'], { signal: ended.signal });
    await soon(() => desk.asked.length > 3);
    ended.abort();
    const { code, err } = await saying;
    expect(err).not.toContain('error');
    expect(code).toBe(130);
  });
});
