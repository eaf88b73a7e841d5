import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHistory, type Mark, thin } from './history.ts';

const VERDICTS = ['Serving', 'Failing', 'Unreachable'] as const;
const markOf = (at: number, verdict: Mark['verdict'] = 'Serving', diagnosis: string | null = null): Mark => ({
  ...{ at, verdict, diagnosis, tookMs: 4 },
  probe: { verdict, diagnosis },
});

const action = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('saw'), owner: fc.nat(3), pod: fc.nat(9), verdict: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 400 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), owner: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('make'), owner: fc.nat(3) }) },
);

describe('the history', () => {
  it('is bounded, in order, and keeps nothing of a KlingApi that is gone', () => {
    const limits = { marksOfPod: 5, podsOfOne: 4, pods: 6, windowMs: 3_000 };
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        let now = 0;
        const alive = new Set([0, 1, 2, 3].map(String));
        const history = createHistory(
          (owner) => alive.has(owner),
          () => now,
          limits,
        );
        for (const each of actions) {
          if ('ms' in each) now += each.ms;
          else if ('pod' in each)
            // a pod belongs to one KlingApi
            history.saw(
              String(each.owner),
              { name: `pod-${each.pod}`, uid: `${each.owner}/${each.pod}` },
              {
                ...markOf(now, VERDICTS[each.verdict]),
              },
            );
          else if (each.kind === 'make') alive.add(String(each.owner));
          else {
            alive.delete(String(each.owner));
            history.forget(String(each.owner));
          }
          const { pods, marks } = history.size();
          expect(pods).toBeLessThanOrEqual(limits.pods);
          expect(marks).toBeLessThanOrEqual(pods * limits.marksOfPod);
          for (const owner of ['0', '1', '2', '3']) {
            const lanes = history.lanes(owner);
            if (!alive.has(owner)) expect(lanes).toEqual([]);
            expect(lanes.length).toBeLessThanOrEqual(limits.podsOfOne);
            for (const lane of lanes) {
              const times = lane.marks.map(({ at }) => at);
              expect(times).toEqual(times.toSorted((a, b) => a - b));
              expect(lane.uid.startsWith(`${owner}/`)).toBe(true);
              expect(times.every((at) => now - at <= limits.windowMs)).toBe(true);
            }
          }
        }
        for (const owner of alive) history.forget(owner);
        expect(history.size()).toEqual({ pods: 0, marks: 0 });
      }),
      { numRuns: 200 },
    );
  });

  it('takes nothing of a look that ends after the deletion', () => {
    const history = createHistory(
      () => false,
      () => 0,
    );
    history.saw('gone', { name: 'pod', uid: 'uid' }, markOf(0));
    expect(history.size()).toEqual({ pods: 0, marks: 0 });
  });

  it('keeps a pod that is gone for an hour', () => {
    let now = 0;
    const history = createHistory(
      () => true,
      () => now,
    );
    history.saw('studio', { name: 'old', uid: 'old' }, markOf(now));
    now = 3_600_000;
    history.saw('studio', { name: 'new', uid: 'new' }, markOf(now));
    expect(history.lanes('studio').map(({ pod }) => pod)).toEqual(['old', 'new']);
    now += 1;
    expect(history.lanes('studio').map(({ pod }) => pod)).toEqual(['new']);
  });
});

describe('a lane that is full', () => {
  it('loses what only repeats, never a change', () => {
    const marks = [
      ...[0, 30, 60].map((at) => markOf(at)),
      ...Array.from({ length: 40 }, (_, at) => markOf(90 + 2 * at, 'Failing', 'HttpError')),
      markOf(200),
    ];
    let kept: readonly Mark[] = [];
    for (const mark of marks) kept = thin([...kept, mark], 8);
    expect(kept.map(({ at, verdict }) => `${at} ${verdict}`)).toEqual([
      '0 Serving',
      '60 Serving',
      '90 Failing',
      '162 Failing',
      '164 Failing',
      '166 Failing',
      '168 Failing',
      '200 Serving',
    ]);
  });

  it('loses the oldest where all are changes', () => {
    const marks = [markOf(0), markOf(1, 'Failing'), markOf(2), markOf(3, 'Failing')];
    expect(thin(marks, 3)).toEqual(marks.slice(1));
  });
});
