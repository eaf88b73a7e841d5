/** When the definition in the cluster is read, and what is made of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createManualClock, type ManualClock, settle } from '../kube/clock.testing.ts';
import { KubeError } from '../kube/errors.ts';
import { T0 } from '../testing.ts';
import { without } from './lacking.ts';
import { createLiveDefinition, type LiveDefinition } from './live.ts';
import { ownSchema, type SchemaNode } from './schema.ts';

const own = ownSchema();
const older = (...paths: string[]): SchemaNode =>
  paths.reduce((schema, path) => without(schema, path) ?? expect.fail(`there is no ${path}`), own);
const published = (schema: SchemaNode) => ({
  openapi: '3.0.0',
  components: {
    schemas: {
      'io.k8s.Status': { type: 'object' },
      'dev.klingapi.v1alpha1.KlingApi': {
        ...schema,
        'x-kubernetes-group-version-kind': [{ group: 'klingapi.dev', kind: 'KlingApi', version: 'v1alpha1' }],
      },
    },
  },
});
const refusal = (path: string) =>
  new KubeError({
    code: 'ServerError',
    status: 500,
    message: `failed to create typed patch object (media/studio; klingapi.dev/v1alpha1, Kind=KlingApi): ${path}: field not declared in schema`,
  });
const exposure = {
  url: 'u',
  result: 'Passed',
  reason: 'HandshakePassed',
  message: 'm',
  since: new Date(T0).toISOString(),
} as const;
const status = { repairsTotal: 1, exposure };

let clock: ManualClock;
let answer: SchemaNode | KubeError;
let asked: string[];
let counts: number[];
let turns: number;
let said: string[];
let definition: LiveDefinition;

beforeEach(() => {
  clock = createManualClock();
  [answer, asked, counts, turns, said] = [own, [], [], 0, []];
  const say = (_: object, message: string) => void said.push(message);
  definition = createLiveDefinition({
    client: {
      async openApi(groupVersion) {
        asked.push(groupVersion);
        if (answer instanceof KubeError) throw answer;
        return published(answer);
      },
    },
    onLook: (missing) => void counts.push(missing),
    onTurn: () => {
      turns += 1;
    },
    clock,
    log: { info: say, warn: say, error: say },
  });
});

describe('a definition that has all', () => {
  it('changes nothing of a status, and is looked at again after minutes', async () => {
    definition.start();
    await settle();
    expect([asked, counts, turns, definition.finding()]).toEqual([['klingapi.dev/v1alpha1'], [0], 0, null]);
    expect(definition.fit(status)).toEqual(status);
    await clock.advance(599_000);
    expect(asked).toHaveLength(1);
    await clock.advance(1_000);
    expect(asked).toHaveLength(2);
    await definition.stop();
  });
});

describe('an older definition', () => {
  it('is told from the start, fitted to, and left behind seconds after the new one came', async () => {
    answer = older('.status.exposure', '.spec.paused');
    definition.start();
    await settle();
    expect([counts, turns]).toEqual([[2], 1]);
    expect(definition.finding()).toMatchObject({
      reason: 'CrdOutdated',
      message: expect.stringContaining('it has no spec.paused, status.exposure; what is set there is not stored'),
    });
    expect(definition.fit(status)).toEqual({ repairsTotal: 1 });
    answer = own;
    await clock.advance(15_000);
    expect([counts, turns, definition.finding()]).toEqual([[2, 0], 2, null]);
    expect(definition.fit(status)).toEqual(status);
    await definition.stop();
  });

  it('names five of what it lacks, and how many more there are', async () => {
    const fields = Object.keys(own.properties?.['status']?.properties ?? {}).slice(0, 7);
    answer = older(...fields.map((name) => `.status.${name}`));
    definition.start();
    await settle();
    expect(definition.finding()?.message).toMatch(/(status\.\w+, ){4}status\.\w+ and 2 more;/);
    await definition.stop();
  });

  it('that comes while the operator runs is found by the refusal', async () => {
    definition.start();
    await settle();
    answer = older('.status.exposure');
    expect(await definition.refused(refusal('.status.exposure'))).toBe(true);
    expect(definition.fit(status)).toEqual({ repairsTotal: 1 });
    // and is looked at again soon, however far away the next look was
    answer = own;
    await clock.advance(15_000);
    expect([definition.finding(), definition.fit(status)]).toEqual([null, status]);
    // a value that it does not take is refused in other words
    answer = older('.status.repairsTotal');
    expect(await definition.refused(new KubeError({ code: 'Invalid', status: 422, message: 'no' }))).toBe(true);
    expect(definition.fit(status)).toEqual({ exposure });
    await definition.stop();
  });

  it('that nobody may read is learned from refusals, and doubted after an hour', async () => {
    answer = new KubeError({ code: 'Forbidden', status: 403, message: 'no' });
    definition.start();
    await settle();
    expect(await definition.refused(refusal('.status.exposure'))).toBe(true);
    expect(definition.finding()?.message).toContain('it has no status.exposure;');
    expect(definition.fit(status)).toEqual({ repairsTotal: 1 });
    await clock.advance(3_540_000);
    expect(definition.finding()).not.toBeNull();
    await clock.advance(120_000);
    expect([definition.finding(), definition.fit(status)]).toEqual([null, status]);
    expect(said.filter((message) => message.includes('could not be read'))).toHaveLength(1);
    await definition.stop();
  });

  it('that the document does not show yet is learned from the refusal', async () => {
    expect(await definition.refused(refusal('.status.exposure'))).toBe(true);
    expect(definition.fit(status)).toEqual({ repairsTotal: 1 });
  });
});

it('a refusal that has another cause is not tried again', async () => {
  expect(await definition.refused(new KubeError({ code: 'Forbidden', status: 403, message: 'no' }))).toBe(false);
  expect(await definition.refused(new Error('no'))).toBe(false);
  expect(asked).toEqual([]);
  expect(await definition.refused(new KubeError({ code: 'Invalid', status: 422, message: 'no' }))).toBe(false);
  expect(await definition.refused(refusal('.status.nothing'))).toBe(false);
});
