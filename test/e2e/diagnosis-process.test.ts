/** Faults of the process, made for real, each with its own word: a fresh pod ends them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, createCase } from './case.ts';
import { diagnosed, eventReasons, livePod, lonely, operatorMetric, upstreamSecret } from './diagnosis.ts';
import { breakPod, faulty, type ServerFault } from './faults.ts';

/** ProcessHung is in `hung.test.ts`, SessionManagerDown in `repair.test.ts` and `python.test.ts`. */
const FAULTS: [name: string, fault: ServerFault, diagnosis: string][] = [
  ['error', '500', 'HttpError'],
  ['refusing', 'refuse', 'ConnectionRefused'],
  ['endless', 'never-ending', 'NeverEndingReply'],
  ['empty', 'empty', 'EmptyReply'],
  ['garbage', 'garbage', 'WrongProtocol'],
];

/** Its log matches a signature that the chart gave to the operator. */
const LOGGED: [name: string, fault: ServerFault, diagnosis: string] = ['logged', 'session-manager', 'OriginalFault'];

let kase: Case;
const before = new Map<string, string>();
beforeAll(async () => {
  kase = await createCase('process', {
    values: ['logSignatures[0].contains=Make sure to use run()', 'logSignatures[0].diagnosis=OriginalFault'],
  });
  await upstreamSecret(kase, { any: 'x' });
  const all: [string, ServerFault, string][] = [...FAULTS, LOGGED];
  for (const [name] of all) await kase.apply(lonely({ ...faulty }), name);
  await Promise.all(all.map(([name]) => diagnosed(kase, name, undefined)));
  for (const [name, fault] of all) {
    const pod = await livePod(kase, name);
    before.set(name, pod.metadata.uid);
    await breakPod(kase, pod, fault);
  }
});
afterAll(() => kase?.remove());

describe('a fault of the process is repaired and called by its name', () => {
  it.each(FAULTS)('%s (%s): %s', async (name, _fault, diagnosis) => {
    const record = await kase.repaired(1, name);
    expect(record).toMatchObject({ podUid: before.get(name), diagnosis, action: 'RestartPod', outcome: 'Recovered' });
    expect(record.evidence.message).not.toBe('');
    const after = await diagnosed(kase, name, undefined);
    expect(after.status.repairsTotal).toBe(1);
    expect((await livePod(kase, name)).metadata.uid).not.toBe(before.get(name));
    expect((await eventReasons(kase)).get(name)).toContain(diagnosis);
    const labels = { diagnosis, outcome: 'Recovered' };
    expect(await operatorMetric(kase, 'klingoperator_repairs_total', name, labels)).toBe(1);
  });
});

it('a log signature of the chart names the cause, in words of the user', async () => {
  const [name, , diagnosis] = LOGGED;
  const record = await kase.repaired(1, name);
  expect(record).toMatchObject({ podUid: before.get(name), diagnosis, outcome: 'Recovered' });
  expect(record.evidence.log).toContain('Make sure to use run()');
  const labels = { diagnosis, outcome: 'Recovered' };
  expect(await operatorMetric(kase, 'klingoperator_repairs_total', name, labels)).toBe(1);
});
