import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMonitor } from './monitor.ts';
import { type HandshakeResult, probeReportSchema, type Verdict, verdictSchema } from './report.ts';

function result(verdict: Verdict): HandshakeResult {
  return {
    verdict,
    diagnosis: null,
    message: verdict,
    era: null,
    evidence: {
      era: 'Legacy',
      method: 'initialize',
      status: 200,
      contentType: null,
      excerpt: null,
      code: null,
      error: null,
      phases: { connectMs: 0, firstByteMs: 0, totalMs: 0 },
    },
    server: null,
  };
}

const ready = (verdict: Verdict) => verdict === 'Serving' || verdict === 'AuthRequired';
const verdicts = fc.array(fc.constantFrom(...verdictSchema.options), { minLength: 1, maxLength: 30 });

describe('monitor', () => {
  it('keeps the history that the verdicts tell', async () => {
    await fc.assert(
      fc.asyncProperty(verdicts, async (sequence) => {
        let clock = 0;
        let index = 0;
        const monitor = createMonitor({ run: async () => result(sequence[index++]!), now: () => clock });
        for (const _ of sequence) {
          clock += 1000;
          await monitor.check();
        }
        const report = probeReportSchema.parse(monitor.last());
        const at = (position: number) => new Date((position + 1) * 1000).toISOString();
        const firstReady = sequence.findIndex(ready);
        const failures: number[] = [];
        for (let position = sequence.length - 1; position >= 0 && !ready(sequence[position]!); position--) {
          if (sequence[position] !== 'Unknown') failures.unshift(position);
        }
        expect(report).toMatchObject({
          verdict: sequence.at(-1),
          at: at(sequence.length - 1),
          startedAt: new Date(0).toISOString(),
          handshakes: sequence.length,
          firstServingAt: firstReady === -1 ? null : at(firstReady),
          consecutiveFailures: failures.length,
          failingSince: failures.length === 0 ? null : at(failures[0]!),
        });
      }),
    );
  });

  it('does one handshake for all who ask while it runs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), async (callers) => {
        let runs = 0;
        let release = () => {};
        const monitor = createMonitor({
          now: () => 0,
          run: () => {
            runs += 1;
            return new Promise((resolve) => {
              release = () => resolve(result('Serving'));
            });
          },
        });
        const waiting = Array.from({ length: callers }, () => monitor.check());
        release();
        const reports = await Promise.all(waiting);
        expect(new Set(reports).size).toBe(1);
        expect(runs).toBe(1);
        const again = monitor.check();
        release();
        expect((await again).handshakes).toBe(2);
      }),
    );
  });

  it('reports Unknown when the handshake itself breaks, and goes on', async () => {
    const outcomes = [() => Promise.reject(new Error('no folder')), async () => result('Serving')];
    const monitor = createMonitor({ run: () => outcomes.shift()!(), now: () => 0 });
    expect(monitor.last()).toBeNull();
    expect(await monitor.check()).toMatchObject({ verdict: 'Unknown', consecutiveFailures: 0 });
    expect(await monitor.check()).toMatchObject({ verdict: 'Serving' });
  });
});
