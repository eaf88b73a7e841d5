import { expect, it } from 'vitest';
import type { RepairRecord } from '../resource/status.ts';
import { repairReport } from './markdown.ts';

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

it('tells problem, cause, steps, verification, before and after', async () => {
  await expect(repairReport({ name: 'studio', namespace: 'media' }, record)).toMatchFileSnapshot(
    './golden/report.golden.md',
  );
});
