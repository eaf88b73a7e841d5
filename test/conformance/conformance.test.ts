import { describe, expect, it } from 'vitest';
import { startFixture } from './fixture/start.ts';
import { type Recorded, replay } from './recorder.ts';
import { type Outcome, runSuite } from './suite.ts';

const failing = ({ scored }: Outcome) => [...scored].filter(([, problems]) => problems.length > 0);
const sessions = { limit: 100, idleSeconds: 60 };
const asked: Recorded[] = [];

describe('the official conformance suite', () => {
  it('2026-07-28: all 37 scored scenarios pass, and those of tasks but for one', async () => {
    const outcome = await runSuite('2026-07-28', {}, 15_000);
    expect(failing(outcome)).toEqual([]);
    expect([outcome.scored.size, outcome.exitCode]).toEqual([37, 0]);
    expect(outcome.passedChecks).toBeGreaterThan(80);
    const tasks = [...outcome.unscored].filter(([name]) => name.startsWith('tasks-'));
    expect(tasks.length).toBe(10);
    const notPassed = tasks.filter(([, problems]) => problems.length > 0).map(([name]) => name);
    // A tool that only clients with the extension can call; there is none.
    expect(notPassed).toEqual(['tasks-required-task-error']);
    asked.push(...outcome.requests);
  });

  it('2025-11-25: all 30 scored scenarios pass, with sessions', async () => {
    const outcome = await runSuite('2025-11-25', { sessions }, 15_000);
    expect(failing(outcome)).toEqual([]);
    expect([outcome.scored.size, outcome.exitCode]).toEqual([30, 0]);
    expect(outcome.passedChecks).toBeGreaterThan(50);
  });

  it('2025-11-25 without sessions, as in production: all but the four that ask the client back', async () => {
    const outcome = await runSuite('2025-11-25', {}, 2_000);
    const names = failing(outcome).map(([name]) => name);
    expect(names.sort()).toEqual([
      'elicitation-sep1034-defaults',
      'elicitation-sep1330-enums',
      // A warning: several streams of one session, of which there is none.
      'server-sse-multiple-streams',
      'tools-call-elicitation',
      'tools-call-sampling',
    ]);
    asked.push(...outcome.requests);
  });

  it('what it asked that is answered from memory, the SDK answers alike', async () => {
    const listed = asked.filter(({ body }) => /"method":"(initialize|server\/discover|[a-z/]+\/list)"/.test(body));
    expect(listed.length).toBeGreaterThan(60);
    const origin = listed.find(({ headers }) => headers.origin !== undefined)?.headers.origin;
    const [ours, sdk] = await Promise.all([
      startFixture({ allowedOrigins: origin === undefined ? [] : [origin] }),
      startFixture({ allowedOrigins: origin === undefined ? [] : [origin], shortcuts: false }),
    ]);
    try {
      let remembered = 0;
      for (const request of listed) {
        const right = await replay(request, sdk.url);
        for (const again of [await replay(request, ours.url), await replay(request, ours.url)]) {
          expect({ request, ...again }).toEqual({ request, ...right });
        }
        if (right.status === 200) remembered += 1;
      }
      expect(remembered).toBeGreaterThan(40);
    } finally {
      await Promise.all([ours.close(), sdk.close()]);
    }
  });
});
