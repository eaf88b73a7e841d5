import { DIAGNOSES } from '../remediation/diagnoses.ts';
import type { Words } from './words.ts';

export const ENGLISH: Words = {
  tag: 'en',
  title: (name, namespace) => `Repair of ${name} (namespace ${namespace})`,
  fields: {
    record: 'Record',
    pod: 'Pod',
    action: 'Action',
    outcome: 'Outcome',
    began: 'Began',
    ended: 'Ended',
    unavailable: 'Pod without service',
    underWay: 'under way',
  },
  ended: (time, seconds) => `${time} (${seconds} s after the decision)`,
  unavailable: (seconds) => `${seconds} s, from its first failed handshake to the replacement's first good one`,
  action: ({ action, rolledBackTo }) =>
    ({
      RestartPod: 'RestartPod: the pod was deleted, its workload made a new one',
      RolloutRestart: 'RolloutRestart: all MCP pods were replaced, one after the other',
      KubeletRestart: 'KubeletRestart: the kubelet restarted the container, because its liveness probe failed',
      Rollback: `Rollback: the MCP workload went back to revision ${rolledBackTo}`,
    })[action],
  outcomes: {
    Recovered: 'Recovered',
    Failed: 'Failed: the replacement does not serve either',
    NotNeeded: 'Not needed: the pod was left alone',
  },
  sections: {
    problem: 'Problem',
    cause: 'Cause',
    steps: 'Steps',
    verification: 'Verification',
    comparison: 'Before and after',
  },
  evidence: { status: 'HTTP status', reply: 'Reply', log: 'Log' },
  failures: (count, since) => `Failed handshakes in a row: ${count}${since === undefined ? '' : `, since ${since}`}`,
  meaning: (diagnosis) =>
    diagnosis === undefined ? 'The MCP server fails its handshake.' : DIAGNOSES[diagnosis].meaning,
  cameBack: 'It came back.',
  stepHead: ['Time', 'After', 'Step', 'Detail'],
  notDone: 'Not done.',
  passed: (at) => `checks passed at ${at}.`,
  checkHead: ['Check', 'Result', 'Seen', 'Took'],
  result: (result) => result,
  comparisonHead: ['', 'Before', 'After'],
  comparison: {
    handshake: 'MCP handshake',
    pod: 'Pod',
    serving: 'Pods that serve',
    checks: 'Checks passed',
    time: 'Time',
  },
  colon: ': ',
};
