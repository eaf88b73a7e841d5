/** What is printed, for people and for clients. */
import { describe, expect, it } from 'vitest';
import { T0 } from '../../testing.ts';
import { seen } from '../cluster/seen.ts';
import { COMMANDS } from '../commands.ts';
import { PLAIN, paintFor } from '../terminal/paint.ts';
import { wellOf, withCondition } from '../testing.ts';
import { overview, usageOf } from '../usage.ts';
import { candidateLines, candidates } from './candidates.ts';
import { SCRIPTS, SHELLS } from './completion-scripts.ts';
import { historyText } from './history.ts';
import { CLIENT_NAMES, CLIENTS } from './mcp-clients.ts';
import { addressOf, configText, preparation } from './mcp-config.ts';
import { fleetText, statusText } from './status.ts';
import { summaryOf } from './status-summary.ts';
import { usageText } from './usage.ts';
import { verificationText } from './verify.ts';

const look = { paint: PLAIN, now: T0 };
const golden = (name: string): string => `../golden/${name}`;
const at = (ms: number): string => new Date(T0 + ms).toISOString();
const repair = {
  id: '20261124t095900000z-6a1f0000',
  startedAt: at(-60_000),
  finishedAt: at(-50_000),
  pod: 'studio-mcp-a',
  podUid: '6a1f0000-0000-4000-8000-000000000002',
  replacement: 'studio-mcp-c',
  diagnosis: 'SessionManagerDown',
  evidence: { observer: 'Probe', message: 'POST /mcp/v1 answered HTTP 500' },
  action: 'RestartPod',
  trigger: 'Handshake',
  attempt: 1,
  actor: 'operator-1',
  outcome: 'Recovered',
  unavailableSeconds: 15.1,
  servedBefore: 1,
  steps: [],
} as const;
const sick = withCondition(
  withCondition(
    wellOf(
      { paused: true },
      {
        mcp: {
          serving: '0/1',
          pods: [
            {
              name: 'studio-mcp-a',
              verdict: 'Failing',
              diagnosis: 'HttpError',
              message: 'HTTP 500:\n  boom',
              since: at(-90_000),
            },
          ],
        },
        repairs: [repair],
        repairsTotal: 7,
      },
    ),
    ...(['Ready', 'False', 'HttpError', 'McpAvailable: 0 of 1 MCP pods serve'] as const),
  ),
  ...(['Degraded', 'True', 'Paused', 'studio-mcp-a: HttpError'] as const),
);

const used = {
  since: at(-86_400_000),
  until: at(0),
  usage: [
    {
      ...{ caller: 'alice', kind: 'text-to-video', model: 'kling-v3', tasks: 3, failed: 1 },
      ...{ units: 3, expectedUnits: 1.5, usd: 0.42 },
    },
    {
      ...{ caller: 'oauth:7f2c', kind: 'text-to-image', model: 'kling-v3', tasks: 2, failed: 0 },
      ...{ units: 2.9, expectedUnits: 0, usd: 0.0102 },
    },
    {
      ...{ caller: 'alice', kind: 'text-to-image', model: 'kling-v2-1', tasks: 1, failed: 0 },
      ...{ units: 0, expectedUnits: 0, usd: 0 },
    },
  ],
  calls: [{ caller: 'oauth:7f2c', operation: 'text-to-speech', calls: 4, failed: 0, units: 0.2, usd: 0.028 }],
  failures: [{ caller: 'alice', code: 'upstream_task_failed', message: 'Failure to\n pass\u001b', tasks: 1 }],
  more: true,
};

describe('what is printed', () => {
  it.each([
    ['status.well.golden.txt', statusText(summaryOf(wellOf()), look)],
    ['status.sick.golden.txt', statusText(summaryOf(sick), look)],
    ['status.fleet.golden.txt', fleetText([wellOf(), sick].map(summaryOf), look)],
    [
      'history.golden.txt',
      historyText(
        {
          repairs: [{ ...repair, steps: [], evidence: { ...repair.evidence }, namespace: 'media', name: 'studio' }],
          events: seen([
            {
              namespace: 'media',
              name: 'studio',
              at: at(-40_000),
              type: 'Warning',
              reason: 'RepairStarted',
              count: 2,
              note: 'a\n b',
            },
          ]),
        },
        T0,
        look,
      ),
    ],
    ['usage.golden.txt', usageText(used, look)],
    ['usage.nothing.golden.txt', usageText({ ...used, usage: [], calls: [], failures: [], more: false }, look)],
    ['help.golden.txt', [overview(COMMANDS), ...COMMANDS.map(usageOf)].join('\n----\n\n')],
    [
      'verify.golden.txt',
      verificationText(
        {
          summary: '2/2',
          at: at(0),
          checks: [
            { name: 'ApiHealth', result: 'Passed', message: 'GET /api/health answered HTTP 200', durationMs: 4 },
            { name: 'McpHandshake', result: 'Passed', message: 'kling answered', durationMs: 9 },
            { name: 'ImageGeneration', result: 'Skipped', message: 'a picture costs money' },
          ],
        },
        look,
      ),
    ],
  ])('is as in %s', async (name, text) => {
    await expect(text).toMatchFileSnapshot(golden(name));
  });

  it('tells that the public address fails, and nothing where that is not known', () => {
    const shown = (state: string): string =>
      statusText(summaryOf(withCondition(wellOf(), 'Exposed', state, 'HttpError', 'answered HTTP 404')), look);
    expect(shown('False')).toMatch(/Exposed +False +HttpError +answered HTTP 404/);
    for (const state of ['True', 'Unknown']) expect(shown(state)).not.toContain('Exposed');
  });

  it('has colours on a terminal alone, and none where nobody wants them', () => {
    expect(statusText(summaryOf(sick), { ...look, paint: paintFor(true, {}) })).toContain('\u001b[');
    for (const paint of [paintFor(false, {}), paintFor(true, { NO_COLOR: '1' }), paintFor(true, { TERM: 'dumb' })])
      expect(statusText(summaryOf(sick), { ...look, paint })).not.toContain('\u001b');
  });
});

describe('mcp-config', () => {
  const exposed = wellOf({ expose: { url: 'https://kling.example.com' } });

  it.each([
    ['mcp-config.golden.txt', exposed],
    ['mcp-config.inside.golden.txt', wellOf()],
  ])('is as in %s', async (name, klingApi) => {
    const server = addressOf(klingApi, undefined);
    await expect(
      configText(server, CLIENT_NAMES, preparation(klingApi, 'default', server, undefined)),
    ).toMatchFileSnapshot(golden(name));
  });

  it.each([
    ['plain', /^export KLING_MCP_KEY="\$\(kubectl get secret studio-callers -n media -o .* \| base64 -d\)"$/],
    ['structured', /\| base64 -d \| jq -r \.key\)"$/],
    ['hashed', /^# Secret studio-callers holds a hash of the key of caller hashed alone: set KLING_MCP_KEY/],
    ['nobody', /^# Secret studio-callers has no caller nobody: name one with --caller \(plain, structured, hashed\)$/],
  ])('says how to get the key of caller %s, as the Secret holds it', (caller, words) => {
    const forms = new Map([
      ['plain', 'Plain'],
      ['structured', 'Json'],
      ['hashed', 'Hash'],
    ] as const);
    expect(preparation(exposed, caller, addressOf(exposed, undefined), forms)).toEqual([expect.stringMatching(words)]);
  });

  it.each(CLIENT_NAMES)('gives %s the key in clear only where it is asked for', (client) => {
    const { text } = CLIENTS[client](addressOf(exposed, 'secret-key'));
    expect(text).toContain('Bearer secret-key');
    expect(CLIENTS[client](addressOf(exposed, undefined)).text).not.toContain('secret-key');
    if (text.startsWith('{')) expect(() => JSON.parse(text)).not.toThrow();
  });

  it('names no header where the server takes no key', () => {
    const open = wellOf({ mcp: { auth: { none: {} } } });
    for (const client of CLIENT_NAMES)
      expect(CLIENTS[client](addressOf(open, undefined)).text).not.toContain('Authorization');
  });
});

describe('completion', () => {
  const names = {
    klingApis: async () => ['studio', 'stage'],
    namespaces: async () => ['media'],
    contexts: () => ['home'],
    shells: SHELLS,
  };
  const offered = async (...words: string[]): Promise<string[]> =>
    (await candidates(words, COMMANDS, names)).map(({ text }) => text);

  it.each(SHELLS)('has a script for %s', async (shell) => {
    await expect(SCRIPTS[shell]).toMatchFileSnapshot(golden(`completion.${shell}.golden.txt`));
  });

  it.each<[string[], string[]]>([
    [['do'], ['doctor']],
    [['re'], ['report', 'repair', 'resume']],
    [['-n', 'media', 'hist'], ['history']],
    [['-n', 'repair', 'hist'], ['history']],
    [
      ['-n', 'repair', 'status', 'st'],
      ['studio', 'stage'],
    ],
    [
      ['status', 'st'],
      ['studio', 'stage'],
    ],
    [['status', 'studio', ''], []],
    [['status', '-n', ''], ['media']],
    [['status', '--context', ''], ['home']],
    [['status', '--output=y'], ['--output=yaml']],
    [
      ['report', '--lang', ''],
      ['en', 'zh'],
    ],
    [
      ['mcp-config', '--client', 'c'],
      ['claude-code', 'claude-desktop', 'cursor'],
    ],
    [['logs', '--fo'], ['--follow']],
    [['completion', 'b'], ['bash']],
    [['version', ''], []],
    [['probe', ''], []],
    [
      ['probe', '--eras', ''],
      ['Any', 'Modern', 'Legacy', 'Both'],
    ],
    [['probe', 'http://localhost:5510/mcp/v1', '--n'], []],
  ])('offers after %j', async (words, expected) => {
    expect(await offered(...words)).toEqual(expected);
  });

  it('is written as kubectl reads it', () => {
    expect(candidateLines([{ text: 'a', says: 'x' }, { text: 'b' }])).toBe('a\tx\nb\n:4\n');
    expect(candidateLines([])).toBe(':4\n');
  });
});
