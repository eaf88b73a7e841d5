/** What the API server lets through, the operator can read and the pods can start with. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { customResourceDefinition } from './crd.ts';
import { specSchema } from './spec.ts';

const node = z.looseObject({});
const at = (path: string): z.output<typeof node> =>
  path.split('.').reduce((found, key) => {
    const entry = Array.isArray(found) ? found[Number(key)] : found[key];
    return node.or(z.array(node)).parse(entry) as z.output<typeof node>;
  }, node.parse(customResourceDefinition()));
const spec = 'spec.versions.0.schema.openAPIV3Schema.properties.spec.properties';

it('bounds a number of repairs at a time as the operator reads it', () => {
  expect(at(`${spec}.remediation.properties.maxConcurrentRepairs`)).toMatchObject({ minimum: 1, maximum: 100 });
  const withLimit = (maxConcurrentRepairs: number) =>
    specSchema.safeParse({ upstream: { provider: 'Sandbox' }, remediation: { maxConcurrentRepairs } }).success;
  expect([0, 1, 100, 101].map(withLimit)).toEqual([false, true, true, false]);
});

it('asks for a key wherever the API service does not start without one', () => {
  const rules = z.array(z.object({ rule: z.string() })).parse(at(`${spec}.upstream`)['x-kubernetes-validations']);
  expect(rules.map(({ rule }) => rule)).toContainEqual(
    expect.stringMatching(/^self\.provider == 'Sandbox' \|\| has\(/),
  );
});
