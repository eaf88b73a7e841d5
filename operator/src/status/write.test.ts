/** What leaves for the API server is what it takes, and nothing is sent where nothing changed. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KubeError } from '../kube/errors.ts';
import type { KlingApi } from '../resource/klingapi.ts';
import type { KlingApiStatus } from '../resource/status.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { createStatusWriter } from './write.ts';

const at = new Date(T0).toISOString();
const statusWith = (message: string): KlingApiStatus => ({
  conditions: [{ type: 'Degraded', status: 'True', reason: 'HttpError', message, lastTransitionTime: at }],
});

const whole = { fit: (status: KlingApiStatus) => status, refused: async () => false };
const writeStatus = (client: Parameters<typeof createStatusWriter>[0], ...what: [KlingApi, KlingApiStatus]) =>
  createStatusWriter(client, whole).write(...what);

function recorder() {
  const sent: (KubernetesObject & { status?: unknown })[] = [];
  const apply = async <T extends KubernetesObject>(object: T): Promise<T> => {
    sent.push(object);
    return object;
  };
  return { sent, client: { apply } };
}

/** The ranges that the YAML reader of the API server takes, and the line breaks that it folds within a quoted text. */
const REFUSED = /[^ -~\xA0-\u2027\u202A-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

it.each([
  'mojibake itâ\u0080\u0099s',
  'del \u007f',
  'breaks \u0085 \u2028 \u2029',
  `half ${'😀'.slice(0, 1)}`,
  'non \uffff',
])('sends no character that the API server refuses (%#)', async (message) => {
  const { sent, client } = recorder();
  expect(await writeStatus(client, klingApiOf(), statusWith(message))).toBe('Written');
  const body = JSON.stringify(sent[0]);
  expect(body).not.toMatch(REFUSED);
  expect(body).not.toMatch(/\\ud[89a-f]/);
  expect(parse(body)).toEqual(sent[0]);
});

it('sends nothing again for what was stored', async () => {
  const first = recorder();
  await writeStatus(first.client, klingApiOf(), statusWith('itâ\u0080\u0099s 😀'));
  const second = recorder();
  const stored = klingApiOf({}, first.sent[0]?.status as Record<string, unknown>);
  expect(await writeStatus(second.client, stored, statusWith('itâ\u0080\u0099s 😀'))).toBe('Unchanged');
  expect(second.sent).toEqual([]);
});

it('sends nothing for a condition that somebody else set', async () => {
  const own = statusWith('down');
  const theirs = { type: 'example.com/Reviewed', status: 'True', reason: 'Yes', message: '', lastTransitionTime: at };
  const { sent, client } = recorder();
  const stored = klingApiOf({}, { conditions: [theirs, ...(own.conditions ?? [])] });
  expect(await writeStatus(client, stored, own)).toBe('Unchanged');
  expect(sent).toEqual([]);
});

/** An API server whose definition lacks `exposure`, until it is brought. */
function olderServer() {
  const world = { sent: [] as object[], knows: false, asked: 0, cuts: false };
  const apply = async <T extends KubernetesObject>(object: T): Promise<T> => {
    const { status = {} } = object as { status?: object };
    if ('exposure' in status && !world.knows)
      throw new KubeError({
        code: 'ServerError',
        status: 500,
        message: '.status.exposure: field not declared in schema',
      });
    world.sent.push(status);
    return object;
  };
  const writer = createStatusWriter(
    { apply },
    {
      fit: ({ exposure, ...rest }) => (world.cuts ? rest : { exposure, ...rest }),
      async refused(error) {
        world.asked += 1;
        world.cuts = String(error).includes('not declared');
        return world.cuts;
      },
    },
  );
  const bring = () => {
    Object.assign(world, { knows: true, cuts: false });
  };
  return { world, writer, bring };
}
const exposure = { url: 'u', result: 'Passed', reason: 'HandshakePassed', message: 'm', since: at } as const;

describe('where the definition in the cluster is older', () => {
  it('the rest is written, and what could not be stored is known as long as that stands', async () => {
    const { world, writer, bring } = olderServer();
    const made = { ...statusWith('x'), exposure };
    const { exposure: _, ...rest } = made;
    expect(await writer.write(klingApiOf(), made)).toBe('Written');
    expect(world.sent).toEqual([rest]);
    const theirs = {
      type: 'example.com/Seen',
      status: 'True',
      reason: 'Yes',
      message: '',
      lastTransitionTime: at,
    } as const;
    const stored = klingApiOf({}, { ...rest, conditions: [theirs, ...(rest.conditions ?? [])] });
    const recalled = writer.recall(stored);
    expect(recalled.status?.exposure).toEqual(exposure);
    expect(recalled.status?.conditions).toEqual([...(made.conditions ?? []), theirs]);
    expect(writer.recall(stored)).toBe(recalled);
    expect(await writer.write(recalled, made)).toBe('Unchanged');
    expect([world.sent.length, world.asked]).toEqual([1, 1]);

    // what somebody else wrote meanwhile goes before
    const other = klingApiOf({}, { ...statusWith('y') });
    expect(writer.recall(other)).toBe(other);

    bring();
    expect(await writer.write(writer.recall(stored), made)).toBe('Written');
    expect(world.sent.at(-1)).toEqual(made);
  });

  it('a cache that is one write behind is known too', async () => {
    const { writer } = olderServer();
    await writer.write(klingApiOf(), { ...statusWith('one'), exposure });
    await writer.write(klingApiOf({}, { ...statusWith('one') }), { ...statusWith('two'), exposure });
    for (const text of ['one', 'two'])
      expect(writer.recall(klingApiOf({}, { ...statusWith(text) })).status?.exposure).toEqual(exposure);
    writer.forget(klingApiOf().metadata.uid);
    expect(writer.recall(klingApiOf({}, { ...statusWith('two') })).status?.exposure).toBeUndefined();
  });

  it('any other refusal is told as it is', async () => {
    const apply = async (): Promise<never> => {
      throw new KubeError({ code: 'Forbidden', status: 403, message: 'no' });
    };
    await expect(writeStatus({ apply }, klingApiOf(), statusWith('x'))).rejects.toThrow('no');
  });
});
