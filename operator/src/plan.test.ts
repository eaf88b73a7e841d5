/** What the spec says counts until the last moment before a deletion. */
import { describe, expect, it } from 'vitest';
import { plan } from './plan.ts';
import { beginRepair } from './remediation/record.ts';
import { handshakeOf, klingApiOf, planInputOf, podOf, reportOf, T0 } from './testing.ts';

const broken = podOf({
  probe: reportOf({ verdict: 'Failing', diagnosis: 'HttpError', failures: 4, failingSince: T0 - 20_000 }),
  own: { last: handshakeOf('Failing', 'HttpError'), at: T0, failures: 4, failingSince: T0 - 20_000 },
});

function look(spec: Record<string, unknown>, repairs: unknown[], observations = [broken]) {
  return plan(planInputOf(klingApiOf(spec, { repairs }), observations), T0 + 1_000);
}

function recorded() {
  const pods = look({}, []).pods;
  const [pod] = pods;
  if (pod === undefined) throw new Error('no pod');
  const repair = { pod, action: 'RestartPod' as const, trigger: 'Handshake' as const };
  return beginRepair({ repair, pods, actor: 'me', attempt: 1, diagnosis: 'HttpError', log: undefined }, T0);
}

describe('between the record and the deletion', () => {
  it.each([
    [{ remediation: { mode: 'Off' } }, 'spec.remediation.mode is Off'],
    [{ remediation: { mode: 'DryRun' } }, 'spec.remediation.mode is DryRun'],
    [{ paused: true }, 'spec.paused is true'],
  ])('%j stops it, and the record says so', (spec, detail) => {
    const made = look(spec, [recorded()]);
    expect(made.steps.map(({ next }) => next.kind)).toEqual(['Settled']);
    expect(made.settled).toMatchObject([{ outcome: 'NotNeeded' }]);
    expect(made.settled[0]?.steps.at(-1)).toMatchObject({ name: 'LeftAlone', detail });
  });

  it('nothing stops it by default', () => {
    expect(look({}, [recorded()]).steps.map(({ next }) => next.kind)).toEqual(['Delete']);
  });
});

describe('between the record and the restart of all pods', () => {
  const restart = () => ({ ...recorded(), action: 'RolloutRestart' as const });
  it.each([
    [{ remediation: { mode: 'Off' } }, 'spec.remediation.mode is Off'],
    [{ remediation: { mode: 'DryRun' } }, 'spec.remediation.mode is DryRun'],
    [{ paused: true }, 'spec.paused is true'],
  ])('%j stops it, and the record says so', (spec, detail) => {
    const made = look(spec, [restart()]);
    expect(made.settled).toMatchObject([{ outcome: 'NotNeeded' }]);
    expect(made.settled[0]?.steps.at(-1)).toMatchObject({ name: 'LeftAlone', detail });
    expect(made.withdrawn).toBe(true);
  });

  it('nothing stops it by default', () => {
    expect(look({}, [restart()])).toMatchObject({ settled: [], withdrawn: false });
  });
});

it('what was deleted already is followed to its end with mode Off, and rests while paused', () => {
  const ending = [{ ...broken, deleting: true }];
  expect(look({ remediation: { mode: 'Off' } }, [recorded()], ending).steps[0]?.next.kind).toBe('Wait');
  const rests = look({ paused: true }, [recorded()], ending);
  expect([rests.steps[0]?.next.kind, rests.settled]).toEqual(['Settled', []]);
});

it('two repairs at once do not take the same new pod for theirs', () => {
  const first = { ...recorded(), id: 'first', podUid: 'gone-1', otherPods: [] };
  const second = { ...recorded(), id: 'second', podUid: 'gone-2', otherPods: [] };
  const serving = podOf({ name: 'studio-mcp-8', uid: 'uid-8', createdAt: T0 });
  const starting = podOf({
    name: 'studio-mcp-9',
    uid: 'uid-9',
    createdAt: T0 - 1_000,
    probe: null,
    ready: { value: false, since: T0 },
    own: { ...podOf().own, last: null },
  });
  const made = look({ remediation: { maxConcurrentRepairs: 2 } }, [first, second], [serving, starting]);
  expect(made.repairs.map(({ replacement }) => replacement)).toEqual(['studio-mcp-8', 'studio-mcp-9']);
  const alone = look({ remediation: { maxConcurrentRepairs: 2 } }, [first, second], [serving]);
  expect(alone.repairs.map(({ replacement }) => replacement)).toEqual(['studio-mcp-8', undefined]);
});
