import { expect, it } from 'vitest';
import { DIAGNOSES, isDiagnosis } from '../remediation/diagnoses.ts';
import type { RepairRecord } from '../resource/status.ts';
import { repairPage } from './html.ts';
import { repairReport } from './markdown.ts';
import { LANGUAGES, wordsOf } from './words.ts';

const record: RepairRecord = {
  id: '20261124t100000000z-6a1f0000',
  startedAt: '2026-11-24T10:00:12.000Z',
  finishedAt: '2026-11-24T10:00:21.400Z',
  pod: 'studio-mcp-7d9-abcde',
  podUid: '6a1f0000-0000-4000-8000-000000000002',
  replacement: 'studio-mcp-7d9-fghij',
  diagnosis: 'SessionManagerDown',
  evidence: {
    observer: 'Probe',
    message: 'POST /mcp/v1 answered HTTP 500',
    httpStatus: 500,
    excerpt: 'RuntimeError: Task group is not initialized. Make sure to use run().',
    failingSince: '2026-11-24T10:00:00.000Z',
    consecutiveFailures: 4,
    log: 'RuntimeError: Task group is not initialized. Make sure to use run(). (4 times)',
  },
  action: 'RestartPod',
  trigger: 'Handshake',
  attempt: 1,
  actor: 'operator-1',
  outcome: 'Recovered',
  unavailableSeconds: 15.1,
  verification: {
    summary: '3/3',
    at: '2026-11-24T10:00:21.000Z',
    checks: [
      { name: 'ApiHealth', result: 'Passed', message: 'GET /api/health answered HTTP 200', durationMs: 4 },
      { name: 'McpHandshake', result: 'Passed', message: 'initialize answered as 2025-11-25', durationMs: 9 },
      { name: 'ImageGeneration', result: 'Passed', message: 'made a PNG of 1024x1024 | decoded', durationMs: 2300 },
    ],
  },
  servedBefore: 1,
  servedAfter: 2,
  steps: [
    { name: 'HandshakeFailed', at: '2026-11-24T10:00:00.000Z', detail: 'POST /mcp/v1 answered HTTP 500' },
    { name: 'Diagnosed', at: '2026-11-24T10:00:12.000Z', detail: 'SessionManagerDown' },
    { name: 'PodDeleted', at: '2026-11-24T10:00:12.200Z', detail: 'studio-mcp-7d9-abcde' },
    { name: 'ReplacementStarted', at: '2026-11-24T10:00:12.600Z', detail: 'studio-mcp-7d9-fghij' },
    { name: 'Serving', at: '2026-11-24T10:00:15.100Z' },
    { name: 'Verified', at: '2026-11-24T10:00:21.400Z', detail: '3/3' },
  ],
};

it('says that restarting does not remove the cause of a fault that came back', () => {
  const message =
    'HttpError came back 5 s after the repair of studio-mcp-1: its cause is one that restarting does not remove';
  const page = repairReport({ name: 'studio', namespace: 'media' }, { ...record, recurrence: { times: 1, message } });
  expect(page).toContain(message);
});

const subject = { name: 'studio', namespace: 'media' };

it.each(LANGUAGES)('tells problem, cause, steps, verification, before and after (%s)', async (language) => {
  const suffix = language === 'en' ? '' : `.${language}`;
  await expect(repairReport(subject, record, language)).toMatchFileSnapshot(`./golden/report${suffix}.golden.md`);
  await expect(repairPage(subject, record, language)).toMatchFileSnapshot(`./golden/report${suffix}.golden.html`);
});

it('has no sentence of the other language for any diagnosis', () => {
  for (const diagnosis of Object.keys(DIAGNOSES).filter(isDiagnosis)) {
    expect(wordsOf('en').meaning(diagnosis)).toMatch(/^[\x20-\x7e]+\.$/);
    expect(wordsOf('zh').meaning(diagnosis), diagnosis).toMatch(/\p{Script=Han}.*。$/u);
  }
});

it('lets nothing that was recorded become markup', () => {
  const evil = '<script>alert(1)</script> | **x** `y`\n```\n# z';
  const told = { ...record, evidence: { ...record.evidence, message: evil, excerpt: evil, log: evil } };
  const page = repairPage(subject, told);
  expect(page).not.toContain('<script>');
  expect(page).toContain('&lt;script&gt;');
  // the only fences are those of the report itself
  expect(repairReport(subject, told).match(/^```$/gm)).toHaveLength(2);
});
