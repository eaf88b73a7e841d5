import { createHandshaker, type HandshakeResult, handshake } from '@klingapi/probe';
import { afterEach, describe, expect, it } from 'vitest';
import { addTwoNumbers, addTwoNumbersLegacy } from './client.ts';
import { startGo } from './go.ts';
import type { Maker } from './maker.ts';
import { type PythonServer, startPython } from './python.ts';
import { startSdk1, startSdk2Strict } from './typescript.ts';

let maker: Maker | undefined;
afterEach(() => maker?.close());

interface Case {
  start: () => Promise<Maker>;
  /** What one handshake without a policy shows. */
  era: HandshakeResult['era'];
  sessionful: boolean;
  /** Whether it also speaks the newer era. */
  modern: boolean;
  /** Sessions that stay open after any number of handshakes: one, where closing it may end the server. */
  kept: number;
}
const python = (name: PythonServer, stateless: boolean) => () => startPython(name, stateless);
const legacy = { era: 'Legacy', modern: false, kept: 0 } as const;

const CASES: Record<string, Case> = {
  'TypeScript SDK v1 with sessions': { start: () => startSdk1(false), ...legacy, sessionful: true },
  'TypeScript SDK v1, stateless': { start: () => startSdk1(true), ...legacy, sessionful: false },
  'TypeScript SDK v2, strict': { start: startSdk2Strict, era: 'Modern', sessionful: false, modern: true, kept: 0 },
  'FastMCP 2.5.1 with sessions': { start: python('fastmcp-2.5.1', false), ...legacy, sessionful: true, kept: 1 },
  'FastMCP 2.5.1, stateless': { start: python('fastmcp-2.5.1', true), ...legacy, sessionful: false },
  'FastMCP 2.5.1 with anyio 4.16': {
    start: python('fastmcp-2.5.1-anyio-4.16', false),
    ...legacy,
    sessionful: true,
    kept: 1,
  },
  'FastMCP 4 with sessions': { start: python('fastmcp', false), ...legacy, sessionful: true, modern: true },
  'FastMCP 4, stateless': { start: python('fastmcp', true), ...legacy, sessionful: false, modern: true },
  'mcp 2 with sessions': { start: python('mcp', false), ...legacy, sessionful: true, modern: true },
  'mcp 2, stateless': { start: python('mcp', true), ...legacy, sessionful: false, modern: true },
  'Go SDK with sessions': { start: () => startGo(false), ...legacy, sessionful: true },
  'Go SDK, stateless': { start: () => startGo(true), ...legacy, sessionful: false, modern: true },
};

describe.each(Object.entries(CASES))('%s', (_name, { start, era, sessionful, modern, kept }) => {
  it('serves, is recognised, keeps no sessions and goes on working', async () => {
    maker = await start();
    const { url } = maker;
    const first = await handshake({ url, timeoutMs: 10_000 });
    expect(first).toMatchObject({ verdict: 'Serving', era, server: { name: 'maker', sessionful } });
    const before = await maker.sessions();
    expect(before).toBe(kept);

    const again = createHandshaker();
    for (let round = 0; round < 50; round++) {
      const { verdict, message } = await again({ url, timeoutMs: 10_000, knownEra: first.era });
      expect([round, verdict, message]).toEqual([round, 'Serving', expect.any(String)]);
    }
    expect(await maker.sessions()).toBe(before + kept);

    const answer = [expect.objectContaining({ type: 'text', text: '42' })];
    if (era === 'Legacy') expect(await addTwoNumbersLegacy(url)).toEqual(answer);
    if (!modern) return;
    expect(await addTwoNumbers(url)).toEqual(answer);
    const both = await handshake({ url, eras: era === 'Modern' ? 'Modern' : 'Both', timeoutMs: 10_000 });
    expect(both).toMatchObject({ verdict: 'Serving', era: era === 'Modern' ? 'Modern' : 'Both' });
  });
});
