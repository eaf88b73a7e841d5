/** A KlingApi that was stored under looser rules than those of the operator, on the real API server. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { installCrd } from '../../e2e/crd.ts';
import { type Json, kubectl } from '../../e2e/kubectl.ts';
import { waitFor } from '../../e2e/wait.ts';
import { type LocalOperator, startOperator } from '../operator.ts';

const CRD = 'crds/klingapi.dev_klingapis.yaml';
const spec = (url: string) => ({ upstream: { provider: 'Sandbox' }, expose: { url } });

let operator: LocalOperator;
beforeAll(async () => {
  operator = await startOperator('looser');
});
afterAll(async () => {
  await installCrd();
  await operator?.stop();
});

const condition = ({ status }: Json, type: string): Json =>
  status?.conditions?.find((entry: Json) => entry.type === type);

it('is told of, stands in nobody’s way, and is looked after again once it is changed', {
  timeout: 180_000,
}, async () => {
  const crd: Json = parse(readFileSync(CRD, 'utf8'));
  delete crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.expose.properties.url.pattern;
  await kubectl(['replace', '-f', '-'], JSON.stringify(crd));
  await waitFor(
    async () => {
      await operator.apply(spec('https://kling.example:99999'), 'old');
      return true;
    },
    { what: 'the looser definition to be served', timeoutMs: 30_000, everyMs: 500 },
  );
  await installCrd();

  const unread = await operator.until(
    'klingapi',
    'old',
    'Unreadable',
    (object) => condition(object, 'Ready')?.reason === 'Unreadable',
  );
  for (const type of ['Accepted', 'Ready'])
    expect(condition(unread, type)).toMatchObject({
      status: 'False',
      message: expect.stringMatching(/stored under other rules .*spec\.expose\.url: /),
    });
  await operator.apply(spec('https://kling.example'), 'good');
  await operator.until(
    'klingapi',
    'good',
    'to be accepted',
    (object) => condition(object, 'Accepted')?.status === 'True',
  );

  await operator.apply(spec('https://kling.example:9999'), 'old');
  const read = await operator.until(
    'klingapi',
    'old',
    'to be accepted',
    (object) => condition(object, 'Accepted')?.status === 'True',
  );
  expect(condition(read, 'Ready').reason).not.toBe('Unreadable');
});
