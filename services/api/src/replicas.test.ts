import { expect, it, vi } from 'vitest';
import { runReplicas } from '../../../test/chaos/replicas.ts';

vi.setConfig({ testTimeout: 300_000 });

it('three replicas that are killed at random lose no task and pay none twice, within the limit', async () => {
  const report = await runReplicas({ seconds: 15, replicas: 3, concurrency: 6, clients: 8, killEveryMs: 1000 });
  expect(report).toMatchObject({ keysWithSeveralTasks: 0, chargedTwice: 0, busy: 0 });
  expect(report.succeeded).toBe(report.wanted);
  expect(report.charged).toBe(report.wanted);
  expect(report.most).toBeLessThanOrEqual(6);
  // The proof is of something only when enough happened.
  expect(report.kills).toBeGreaterThanOrEqual(5);
  expect(report.wanted).toBeGreaterThanOrEqual(20);
  expect(report.takeovers).toBeGreaterThan(0);
  expect(report.foreignWaits).toBeGreaterThan(0);
});
