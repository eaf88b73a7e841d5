/** What DryRun says is what Auto would do. */
import { expect, it } from 'vitest';
import { plan } from '../plan.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, reportOf, T0 } from '../testing.ts';

const broken = podOf({
  probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 9, failingSince: T0 - 60_000 }),
  own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 9, failingSince: T0 - 60_000 },
});
const decided = (ladder: string[], revisions: object) =>
  plan(planInputOf(klingApiOf({ remediation: { mode: 'DryRun', ladder } }, { revisions }), [broken]), T0).decision;

it.each([
  [['RestartPod'], { verified: 'r1' }, /^Would delete pod studio-mcp-1: /],
  [['RolloutRestart'], { verified: 'r1' }, /^Would restart all MCP pods: /],
  [['Rollback'], { verified: 'r0' }, /^Would go back to revision r0: /],
  [['Rollback'], { verified: 'r1' }, /^Would give up, because none of Rollback is left: /],
])('DryRun of %j with %j', (ladder, revisions, message) => {
  expect(decided(ladder, revisions)).toMatchObject({ kind: 'WouldRepair', message: expect.stringMatching(message) });
});
