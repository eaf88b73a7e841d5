/** What leaves for the API server is what it takes, and nothing is sent where nothing changed. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { KubeError } from '../kube/errors.ts';
import type { KlingApiStatus } from '../resource/status.ts';
import { klingApiOf, T0 } from '../testing.ts';
import { writeStatus } from './write.ts';

const at = new Date(T0).toISOString();
const statusWith = (message: string): KlingApiStatus => ({
  conditions: [{ type: 'Degraded', status: 'True', reason: 'HttpError', message, lastTransitionTime: at }],
});

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

it('says what to do where the definition is older than the operator', async () => {
  const message =
    'failed to create typed patch object (media/studio; klingapi.dev/v1alpha1, Kind=KlingApi): .status.revisions.servedAt: field not declared in schema';
  const apply = async (): Promise<never> => {
    throw new KubeError({ code: 'ServerError', status: 500, message });
  };
  await expect(writeStatus({ apply }, klingApiOf(), statusWith('x'))).rejects.toThrow(
    /older than this operator \(it has no \.status\.revisions\.servedAt\): apply the one of this release/,
  );
});
