import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCircuit } from './circuit.ts';

const FAILURES = 3;
const OPEN_MS = 2_000;

it('lets every call through until three in a row failed, and then one in two seconds', () => {
  let now = 0;
  const circuit = createCircuit({ failures: FAILURES, openMs: OPEN_MS, now: () => now });
  for (let call = 1; call <= FAILURES; call += 1) {
    expect(circuit.lets()).toBe(true);
    circuit.failed();
  }
  now += OPEN_MS - 1;
  expect([circuit.isOpen(), circuit.lets()]).toEqual([true, false]);
  now += 1;
  expect(circuit.lets(), 'the trial').toBe(true);
  expect(circuit.lets(), 'while it is under way').toBe(false);
  circuit.answered();
  expect([circuit.isOpen(), circuit.lets()]).toEqual([false, true]);
});

it('never keeps a service unasked for longer than that, and never asks one that is down more often', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ kind: fc.constantFrom('answered' as const, 'failed' as const, 'lost' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let now = 0;
      let inRow = 0;
      let lastAsked = Number.NEGATIVE_INFINITY;
      const circuit = createCircuit({ failures: FAILURES, openMs: OPEN_MS, now: () => now });
      for (const each of steps) {
        if (each.kind === 'pass') {
          now += each.ms;
          continue;
        }
        const isLet = circuit.lets();
        expect(circuit.isOpen()).toBe(inRow >= FAILURES);
        expect(isLet).toBe(inRow < FAILURES || now >= lastAsked + OPEN_MS);
        if (!isLet) continue;
        lastAsked = now;
        if (each.kind === 'answered') inRow = 0;
        if (each.kind === 'failed') inRow += 1;
        if (each.kind === 'answered') circuit.answered();
        if (each.kind === 'failed') circuit.failed();
      }
    }),
  );
});
