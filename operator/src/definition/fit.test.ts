/** What an older definition takes of a status of today. */
import { describe, expect, it } from 'vitest';
import { earlierRepair, T0 } from '../testing.ts';
import { fit } from './fit.ts';
import { lacking, without } from './lacking.ts';
import { ownSchema, type SchemaNode } from './schema.ts';

const status = (schema: SchemaNode): SchemaNode => schema.properties?.['status'] ?? {};
const own = ownSchema();

/** The schema without these paths. */
const older = (...paths: string[]): SchemaNode =>
  paths.reduce((schema, path) => without(schema, path) ?? expect.fail(`there is no ${path}`), own);

const at = new Date(T0).toISOString();
const whole = {
  observedGeneration: 3,
  exposure: { url: 'u', result: 'Passed', reason: 'HandshakePassed', message: 'm', since: at },
  verification: { summary: '3/3', checks: [], at, request: 'once' },
  remediation: { recent: [at], attempt: 1 },
  repairs: [
    { ...earlierRepair({ replacement: 'studio-mcp-1', servedAt: T0 }), recurrence: { times: 2, message: 'again' } },
  ],
};

describe('fit', () => {
  it('takes all of a status under its own definition', () => {
    expect(fit(whole, status(own))).toEqual(whole);
  });

  it('leaves out the fields that are not known, wherever they are, and keeps the record', () => {
    const schema = older('.status.exposure', '.status.verification.request', '.status.repairs[id="a.b[0]"].recurrence');
    const { exposure: _, ...rest } = whole;
    const { recurrence: __, ...record } = whole.repairs[0]!;
    expect(fit(whole, status(schema))).toEqual({
      ...rest,
      verification: { summary: '3/3', checks: [], at },
      repairs: [record],
    });
  });

  const record: SchemaNode = {
    type: 'object',
    required: ['id', 'action'],
    properties: {
      id: { type: 'string', maxLength: 4 },
      action: { type: 'string', enum: ['Restart'] },
      mode: { type: 'string', enum: ['Fast'] },
      count: { type: 'integer', minimum: 0, maximum: 9 },
    },
  };
  const list: SchemaNode = { type: 'array', items: record, maxItems: 2 };

  it('leaves out a value that is not known, and with one that has to be there its record', () => {
    expect(
      fit(
        [
          { id: 'a', action: 'Restart', mode: 'New', count: 10 },
          { id: 'b', action: 'New' },
          { id: 3, action: 'Restart' },
        ],
        list,
      ),
    ).toEqual([{ id: 'a', action: 'Restart' }]);
    expect(fit({ list: [{ id: 'b', action: 'New' }] }, { required: ['list'], properties: { list: record } })).toBe(
      undefined,
    );
  });

  it('cuts what is too long: texts by code points, records at their end, times at their beginning', () => {
    expect(fit({ id: '😀😀😀😀😀', action: 'Restart' }, record)).toEqual({ id: '😀😀😀😀', action: 'Restart' });
    const ids = ['a', 'b', 'c'].map((id) => ({ id, action: 'Restart' }));
    expect(fit(ids, list)).toEqual(ids.slice(0, 2));
    expect(fit([1, 2, 3], { type: 'array', maxItems: 2, 'x-kubernetes-list-type': 'atomic' })).toEqual([2, 3]);
  });

  it('leaves alone what a schema leaves open', () => {
    const open = { a: { b: 1 } };
    expect(fit(open, { type: 'object', 'x-kubernetes-preserve-unknown-fields': true })).toEqual(open);
    expect(fit(open, { type: 'object', additionalProperties: true })).toEqual(open);
    expect(fit(open, { type: 'object', additionalProperties: { type: 'object' } })).toEqual({ a: {} });
    expect(fit({ constructor: 1 }, { type: 'object', properties: {} })).toEqual({});
  });
});

describe('lacking', () => {
  it('is nothing of its own definition', () => {
    expect(lacking(own, own)).toEqual([]);
  });

  it('names what is not there, and not what is below it', () => {
    expect(lacking(own, older('.status.exposure', '.status.repairs[0].recurrence', '.spec.expose'))).toEqual([
      'spec.expose',
      'status.exposure',
      'status.repairs[].recurrence',
    ]);
  });

  it('names values, and nothing of what a definition of tomorrow has in addition', () => {
    const today: SchemaNode = { properties: { a: { items: { enum: ['x', 'y'] } } } };
    const before: SchemaNode = { properties: { a: { items: { enum: ['x'] } }, b: {} } };
    expect(lacking(today, before)).toEqual(['a[]=y']);
    expect(lacking(before, today)).toEqual(['b']);
    expect(lacking(today, { properties: { a: { 'x-kubernetes-preserve-unknown-fields': true } } })).toEqual([]);
  });

  it('a path that is not there takes nothing', () => {
    expect(without(own, '.status.nothing')).toBeUndefined();
    expect(without(own, '.status.exposure.url.more')).toBeUndefined();
  });
});
