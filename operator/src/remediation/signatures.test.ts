import { parseEnvironment } from '@klingapi/management';
import { describe, expect, it } from 'vitest';
import { settingsSchema } from '../settings.ts';
import { matchLog, SIGNATURES } from './signatures.ts';

const images = { IMAGE_MCP: 'm', IMAGE_API: 'a', IMAGE_SANDBOX: 's', IMAGE_PROBE: 'p' };
const read = (text: string) => settingsSchema.safeParse({ ...images, LOG_SIGNATURES: text });

describe('a log', () => {
  it('is matched by the list, in its order, and only what matches leaves the pod', () => {
    const log =
      'secret stuff\nMemoryError: x\nRuntimeError: Task group is not initialized. Make sure to use run().\nmore';
    expect(matchLog(log)).toEqual({
      diagnosis: 'SessionManagerDown',
      excerpt: 'RuntimeError: Task group is not initialized. Make sure to use run().',
    });
    expect(matchLog('MemoryError\nMemoryError')).toEqual({ diagnosis: null, excerpt: 'MemoryError (2 times)' });
    expect(matchLog('all is well')).toBeUndefined();
  });

  it('gives an excerpt that is redacted and bounded, with what was found in it', () => {
    const line = `${'x'.repeat(200_000)} token=abcdefgh12345 Task group is not initialized ${'y'.repeat(200_000)}`;
    const found = matchLog(line);
    expect(found?.excerpt).toContain('token=[redacted] Task group is not initialized');
    expect(found?.excerpt.length).toBeLessThanOrEqual(1_024);
  });

  it('of the most that is read takes no time to speak of, whatever it and the signatures hold', () => {
    const many = Array.from({ length: 32 }, (_, index) => ({ contains: `${'a'.repeat(110)}${index}` }));
    const began = performance.now();
    expect(matchLog('a'.repeat(524_288), many)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('the setting LOG_SIGNATURES', () => {
  it('adds to the list, in front of what is built in', () => {
    const parsed = read(JSON.stringify([{ contains: 'database is gone', diagnosis: 'DatabaseGone' }]));
    expect(parsed.data?.LOG_SIGNATURES).toEqual([
      { contains: 'database is gone', diagnosis: 'DatabaseGone' },
      ...SIGNATURES,
    ]);
    expect(settingsSchema.parse(images).LOG_SIGNATURES).toEqual(SIGNATURES);
  });

  it('is refused with every problem listed', () => {
    const bad = [
      { contains: 'abc', diagnosis: 'Fine' },
      { contains: 'good enough', diagnosis: 'not camel case' },
      { contains: 'good enough', diagnosis: 'NetworkBlocked' },
      { contains: 'two\nlines' },
      { pattern: '(a+)+$' },
    ];
    const issues = read(JSON.stringify(bad)).error?.issues.map((issue) => issue.path.join('.')) ?? [];
    for (const at of ['0.contains', '1.diagnosis', '2.diagnosis', '3.contains', '4.contains', '4'])
      expect(issues).toContain(`LOG_SIGNATURES.${at}`);
    const told = parseEnvironment(
      settingsSchema,
      { ...images, LOG_SIGNATURES_FILE: '/mounted' },
      { files: ['LOG_SIGNATURES'], readFile: () => JSON.stringify(bad) },
    );
    expect(told.ok ? [] : told.problems.length).toBeGreaterThanOrEqual(6);
    expect(read('[').error?.issues[0]?.message).toBe('is not JSON');
    expect(read('{}').success).toBe(false);
  });
});
